// An application that uses openid-client and knows only the issuer. Everything else comes from the metadata.
import * as oauth from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPE } = process.env;

for (const authentication of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
  const config = await oauth.discovery(new URL(ISSUER), CLIENT_ID, undefined, authentication(CLIENT_SECRET), {
    algorithm: "oauth2", // RFC 8414, not OpenID Connect
    execute: [oauth.allowInsecureRequests], // the system under test has no TLS
  });
  const token = await oauth.clientCredentialsGrant(config, { scope: SCOPE });
  const call = async () => {
    try {
      const answer = await oauth.fetchProtectedResource(config, token.access_token, new URL("/api/v3/webhooks", ISSUER), "GET");
      return answer.status;
    } catch (error) { // the library parses the challenge of a 401 itself
      return error instanceof oauth.WWWAuthenticateChallengeError ? `${error.status} ${error.cause[0].parameters.error}` : error;
    }
  };
  const before = await call();
  await oauth.tokenRevocation(config, token.access_token);
  console.log(JSON.stringify({ type: token.token_type.toLowerCase(), scope: token.scope, expires: token.expiresIn() > 800, before, after: await call() }));
}

const stranger = await oauth.discovery(new URL(ISSUER), CLIENT_ID, undefined, oauth.ClientSecretBasic("wrong"), {
  algorithm: "oauth2", execute: [oauth.allowInsecureRequests],
});
const refused = async (config, scope) => {
  const error = await oauth.clientCredentialsGrant(config, scope && { scope }).then(() => null, (e) => e);
  return error?.error ?? error?.cause?.[0]?.scheme ?? null; // the library reports a 401 with a challenge as that challenge
};
const config = await oauth.discovery(new URL(ISSUER), CLIENT_ID, undefined, oauth.ClientSecretBasic(CLIENT_SECRET), {
  algorithm: "oauth2", execute: [oauth.allowInsecureRequests],
});
console.log(JSON.stringify({ wrongSecret: await refused(stranger), wrongScope: await refused(config, "root") }));
