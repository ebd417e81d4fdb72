// Foreign web applications call the API from a browser. Applications of allowed origins can do everything that their tokens
// allow, and all other applications can do nothing.
import { expect, Receiver, test } from "./system.mjs";

/** Serves an empty foreign page and opens it. */
async function foreign(page) {
  const site = await Receiver.start((_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Theirs</title>"));
  await page.goto(site.url);
  return site;
}

/** Calls the API from a script of the page. Returns what the script can see. */
function from(page, url, options = {}) {
  return page.evaluate(async ([url, options]) => {
    try {
      const answer = await fetch(url, options);
      const text = await answer.text();
      return { status: answer.status, headers: Object.fromEntries(answer.headers), json: text ? JSON.parse(text) : null };
    } catch (error) {
      return { refused: error.name }; // the browser gives no details
    }
  }, [url, options]);
}

const refused = { refused: "TypeError" };
const json = { "Content-Type": "application/json" };
const form = (client) => new URLSearchParams({ grant_type: "client_credentials", client_id: client.id, client_secret: client.secret }).toString();
const formType = { "Content-Type": "application/x-www-form-urlencoded" };

async function allow(system, ...origins) {
  const { status } = await system.api("PATCH", "/settings", { cors: { enabled: origins.length > 0, allowedOrigins: origins } });
  expect(status).toBe(200);
}

test("a page of an allowed origin gets a token, lists webhooks and changes one", async ({ page, system }) => {
  const client = await system.client("Their page", ["webhooks:write"]);
  const { id } = await system.webhook();
  const site = await foreign(page);
  await allow(system, site.url);

  const { token_endpoint: address } = (await from(page, `${system.url}/.well-known/oauth-authorization-server`)).json;
  const inForm = await from(page, address, { method: "POST", headers: formType, body: form(client) });
  expect(inForm).toMatchObject({ status: 200, json: { token_type: "Bearer", scope: "webhooks:write" } });
  const basic = { Authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}`, ...formType }; // causes a preflight
  const inHeader = await from(page, address, { method: "POST", headers: basic, body: "grant_type=client_credentials" });
  expect(inHeader.status).toBe(200);

  const bearer = { Authorization: `Bearer ${inHeader.json.access_token}` };
  const webhooks = `${system.url}/api/v3/webhooks`;
  expect((await from(page, webhooks, { headers: bearer })).json._embedded.elements.map((w) => w.id)).toEqual([id]);
  const read = await from(page, `${webhooks}/${id}`, { headers: bearer });
  expect(read.headers).toMatchObject({ etag: '"1"', "x-request-id": expect.stringMatching(/^req_/) });
  const change = { method: "PATCH", body: '{"name":"Theirs"}' };
  const changed = await from(page, `${webhooks}/${id}`, { ...change, headers: { ...bearer, ...json, "If-Match": read.headers.etag } });
  expect(changed).toMatchObject({ status: 200, json: { name: "Theirs" } });

  // A page can also read errors, so that it can show them.
  const stale = await from(page, `${webhooks}/${id}`, { ...change, headers: { ...bearer, ...json, "If-Match": read.headers.etag } });
  expect(stale).toMatchObject({ status: 409, json: { _type: "Error" } });
  expect((await from(page, webhooks)).status).toBe(401);
  expect((await from(page, `${system.url}/api/v3/settings`, { headers: bearer })).status).toBe(403);
  expect((await from(page, `${system.url}/api/v3/nowhere`)).status).toBe(404);
  expect((await from(page, address, { method: "POST", headers: formType, body: form({ ...client, secret: "wrong" }) })).json.error).toBe("invalid_client");
  const large = { method: "POST", headers: { ...bearer, ...json }, body: JSON.stringify({ name: "n".repeat(2 << 20) }) };
  expect((await from(page, webhooks, large)).status).toBe(413);
  await site.stop();
});

test("the browser refuses a page of another origin, and an origin that is no longer allowed", async ({ page, system }) => {
  const client = await system.client("Their page", ["webhooks:read"]);
  const bearer = { Authorization: `Bearer ${await system.token(client)}` };
  const webhooks = `${system.url}/api/v3/webhooks`;
  const site = await foreign(page);
  const everything = async () => [
    await from(page, `${system.url}/oauth/token`, { method: "POST", headers: formType, body: form(client) }),
    await from(page, webhooks, { headers: bearer }),
    await from(page, webhooks),
    await from(page, `${system.url}/api/v3/openapi.json`),
    await from(page, `${system.url}/.well-known/jwks.json`, { cache: "no-store" }), // otherwise the browser answers from its cache for a minute
  ];
  expect(await everything(), "while CORS is off").toEqual(Array(5).fill(refused));
  const port = new URL(site.url).port;
  await allow(system, "https://app.example.com", `https://127.0.0.1:${port}`, `http://localhost:${port}`, `http://127.0.0.1:${Number(port) - 1}`);
  expect(await everything(), "while similar origins are allowed").toEqual(Array(5).fill(refused));
  await allow(system, site.url);
  expect((await everything()).map((seen) => seen.status)).toEqual([200, 200, 401, 200, 200]);
  await allow(system);
  expect(await everything(), "while CORS is off again").toEqual(Array(5).fill(refused));
  await site.stop();
});

test("documentation that is switched off is not found", async ({ page, system }) => {
  for (const on of [false, true]) {
    expect((await system.api("PATCH", "/settings", { api: { docsEnabled: on } })).status).toBe(200);
    for (const path of ["/api/docs", "/api/docs/swagger-ui-bundle.js", "/api/v3/openapi.json"]) {
      expect((await page.goto(system.url + path)).status(), `${path}, switched on: ${on}`).toBe(on ? 200 : 404);
    }
  }
});
