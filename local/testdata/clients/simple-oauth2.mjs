// An application that uses simple-oauth2, with both ways of sending the secret.
import { ClientCredentials } from "simple-oauth2";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPE } = process.env;

for (const authorizationMethod of ["header", "body"]) {
  const client = new ClientCredentials({
    client: { id: CLIENT_ID, secret: CLIENT_SECRET }, auth: { tokenHost: ISSUER }, options: { authorizationMethod },
  });
  const token = await client.getToken({ scope: SCOPE.split(" ") });
  const call = async () => {
    const answer = await fetch(`${ISSUER}/api/v3/webhooks`, { headers: { Authorization: `Bearer ${token.token.access_token}` } });
    return answer.ok ? answer.status : `${answer.status} ${(await answer.json()).error}`;
  };
  const before = await call();
  await token.revoke("access_token");
  console.log(JSON.stringify({ type: token.token.token_type.toLowerCase(), scope: token.token.scope, expires: !token.expired(800), before, after: await call() }));
}

const refused = async (secret, scope) => {
  const client = new ClientCredentials({ client: { id: CLIENT_ID, secret }, auth: { tokenHost: ISSUER } });
  return client.getToken(scope ? { scope } : {}).then(() => null, (error) => error.data?.payload?.error ?? error.message);
};
console.log(JSON.stringify({ wrongSecret: await refused("wrong"), wrongScope: await refused(CLIENT_SECRET, "root") }));
