// The tests share this file: a system for each test, its API, receivers, and the first steps of every story.
import { test as base, expect } from "@playwright/test";
import { spawn } from "node:child_process";
import http from "node:http";

export { expect };

export const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

/**
 * The address of a system that is already running, such as a stack behind a gateway. CONSOLE_URL is this address with the stage path,
 * API_URL is an address for programs that do not resolve names like a browser, CONSOLE_ADMIN is its administrator as
 * id:secret, and RECEIVER_URL is a receiver that it can call and that accepts everything. Only the tests with the tag
 * @main tolerate the data of earlier tests.
 */
const elsewhere = process.env.CONSOLE_URL;
const [id, ...rest] = (process.env.CONSOLE_ADMIN ?? "administrator:the-secret-of-the-administrator").split(":");
export const admin = { id, secret: rest.join(":") };

const inThisRun = () => `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
/** A name that no other test has. */
export const unique = (name) => `${name} ${inThisRun()}`;
/** An identifier that no other test has. */
export const uniqueID = (prefix) => `${prefix}-${inThisRun()}`;

/** A running system, with its addresses and functions that call its API as the administrator. */
export class System {
  constructor(process, url, receiver, apiURL = url) {
    Object.assign(this, { process, url, receiver, apiURL });
  }

  static async start(...flags) {
    if (elsewhere) return new System(null, elsewhere, process.env.RECEIVER_URL, process.env.API_URL);
    const args = ["-addr", "127.0.0.1:0", "-receiver-addr", "127.0.0.1:0", "-data", "", "-demo=false", "-speed", "60",
      "-admin", `${admin.id}:${admin.secret}`, "-receiver-secret", secret, ...flags];
    const program = spawn(process.env.NEPENTHES, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    await new Promise((ready, failed) => {
      program.once("exit", (code) => failed(new Error(`the system ended with ${code} before it was ready`)));
      program.stdout.on("data", (part) => {
        text += part;
        if (/^ready$/m.test(text)) ready();
      });
    });
    return new System(program, /^api (\S+)$/m.exec(text)[1], /^receiver (\S+)\/hooks/m.exec(text)[1]);
  }

  async stop() {
    if (!this.process) return;
    const ended = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGTERM");
    await ended;
  }

  async token(client = admin, scope = "") {
    const answer = await fetch(`${this.apiURL}/oauth/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "client_credentials", client_id: client.id, client_secret: client.secret, ...(scope && { scope }) }),
    });
    return (await answer.json()).access_token;
  }

  async api(method, path, body) {
    const answer = await fetch(`${this.apiURL}/api/v3${path}`, {
      method,
      headers: { Authorization: `Bearer ${await this.token()}`, ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, json: text ? JSON.parse(text) : null };
  }

  /** Creates a webhook with the given attributes, and defaults for the others. */
  async webhook(with_ = {}) {
    const { json, status } = await this.api("POST", "/webhooks", {
      name: "Billing", payloadUrl: `${this.receiver}/hooks/billing`, events: ["*"], retrySchedule: "none", secret, ...with_,
    });
    expect(status, JSON.stringify(json)).toBe(201);
    return json;
  }

  async push(id, type = "work_package:updated", project = { id: "7", identifier: "plant", name: "Plant" }, data = { _type: "WorkPackage", id: 42 }) {
    const { status } = await this.api("POST", "/events", { id, type, occurredAt: new Date().toISOString(), project, data });
    expect(status).toBe(202);
  }

  /** Waits until the event has been fanned out and all its deliveries have ended. Returns the deliveries. */
  async settled(id) {
    let deliveries = [];
    await expect(async () => {
      const event = await this.api("GET", `/events/${id}/deliveries`);
      expect(event.status).toBe(200);
      deliveries = event.json._embedded.elements;
      for (const d of deliveries) expect(["delivered", "dead", "skipped"]).toContain(d.state);
    }).toPass();
    return deliveries;
  }

  /** Waits until the event's delivery to the webhook is in the state. Returns the delivery. */
  async inState(event, webhook, state) {
    let delivery;
    await expect(async () => {
      const list = await this.api("GET", `/events/${event}/deliveries`);
      expect(list.status).toBe(200);
      delivery = list.json._embedded.elements.find((d) => d.webhookId === webhook);
      expect(delivery?.state).toBe(state);
    }).toPass();
    return delivery;
  }

  async client(name, scopes) {
    const { json } = await this.api("POST", "/oauth_clients", { name, scopes });
    return { id: json.id, secret: json.clientSecret };
  }
}

/** A receiver that answers with the given function and records the requests. */
export class Receiver {
  static async start(answer) {
    const receiver = new Receiver();
    receiver.got = [];
    receiver.server = http.createServer((request, response) => {
      let body = "";
      request.on("data", (part) => { body += part; });
      request.on("end", () => {
        receiver.got.push({ path: request.url, headers: request.headers, body });
        answer(request, response);
      });
    });
    await new Promise((done) => receiver.server.listen(0, "127.0.0.1", done));
    receiver.url = `http://127.0.0.1:${receiver.server.address().port}`;
    return receiver;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(done));
  }
}

export async function signIn(page, system, client = admin) {
  await page.goto(`${system.url}/admin`);
  await page.getByLabel("Client ID").fill(client.id);
  await page.getByLabel("Client secret").fill(client.secret);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
}

export async function open(page, entry) {
  await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name: entry, exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: entry })).toBeVisible();
}

export const test = base.extend({
  system: async ({}, use) => {
    const system = await System.start();
    await use(system);
    await system.stop();
  },
  // admin is a page on which the administrator is signed in. No page may log an error or call another host.
  admin: async ({ page, system }, use) => {
    const complaints = [];
    page.on("console", (message) => { if (message.type() === "error" && !/status of 4\d\d/.test(message.text())) complaints.push(message.text()); });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => { if (new URL(request.url()).origin !== new URL(system.url).origin) complaints.push(request.url()); });
    await signIn(page, system);
    await use(page);
    expect(complaints).toEqual([]);
  },
});
