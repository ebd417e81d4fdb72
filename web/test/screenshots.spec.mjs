// Takes the pictures for README and docs/console.md, from a system that is filled for them. `make screenshots` runs it.
import { fileURLToPath } from "node:url";
import { expect, Receiver, signIn, System, test } from "./system.mjs";

const images = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const after = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Fills the system with webhooks to five receivers of different health. */
async function seeded(system) {
  const receiver = await Receiver.start(async (request, response) => {
    await after({ "/billing": 80, "/chat": 25, "/warehouse": 140, "/robots": 20_000 }[request.url] ?? 40);
    response.writeHead(request.url === "/warehouse" ? 503 : 200, { "Content-Type": "application/json" });
    response.end(request.url === "/warehouse" ? '{"error":"maintenance until 18:00"}' : '{"ok":true}');
  });
  const projects = [["7", "Plant"], ["8", "Depot"], ["9", "Head office"], ["10", "Pipeline north"]];
  for (const [id, name] of projects) await system.api("PUT", `/projects/${id}`, { name, identifier: name.toLowerCase().replaceAll(" ", "-") });
  const make = (name, path, more) => system.webhook({ name, payloadUrl: `${receiver.url}${path}`, retrySchedule: "standard", ...more });
  await make("Billing", "/billing", { description: "Turns booked time into invoices.\nAsk: Mara, finance", events: ["time_entry:*", "project:created"], projects: { ids: ["7", "8"] } });
  await make("Chat room", "/chat", { events: ["*"] });
  const warehouse = await make("Data warehouse", "/warehouse", { events: ["work_package:*", "time_entry:*", "version:*", "member:*", "wiki_page:*"], payloadFormat: "cloudevents" });
  await make("Robots", "/robots", { events: ["work_package:updated"], projects: { ids: ["7"] }, timeoutSeconds: 2, retrySchedule: "none" });
  await make("Old intranet", "/intranet", { events: ["user:*"], enabled: false });
  const types = ["work_package:updated", "time_entry:created", "wiki_page:updated", "work_package:created", "version:updated", "user:created", "time_entry:updated"];
  for (let i = 0; i < 28; i++) {
    const [id, name] = projects[i % 3];
    await system.push(`seed-${i}`, types[i % types.length], { id, name }, {
      _type: "WorkPackage", id: 100 + i, subject: "Replace the seal of pump 4", status: "In progress", percentageDone: 40,
    });
  }
  await expect(async () => { // each has failed twice and waits for five minutes
    const list = (await system.api("GET", `/webhooks/${warehouse.id}/deliveries?state=retrying`)).json._embedded.elements;
    expect(list.length).toBeGreaterThan(10);
    for (const d of list) expect(d.attemptCount).toBe(2);
  }).toPass({ timeout: 30_000 });
  const [retrying] = (await system.api("GET", `/webhooks/${warehouse.id}/deliveries`)).json._embedded.elements;
  return {
    receiver,
    pages: {
      webhooks: "/webhooks", webhook: `/webhooks/${warehouse.id}`, "webhook-form": "/webhooks/new", delivery: `/deliveries/${retrying.id}`,
      deliveries: "/deliveries", api: "/api", why: "/why?event=work_package%3Aupdated", applications: "/applications/new",
    },
  };
}

test("pictures", async ({ browser }) => {
  test.setTimeout(180_000);
  const system = await System.start("-speed", "1");
  const { receiver, pages } = await seeded(system);
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of [[1280, 900], [390, 844]]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height }, timezoneId: "Europe/Berlin" });
      const page = await context.newPage();
      await signIn(page, system);
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(`${system.url}/admin${path}`);
        await page.screenshot({ path: `${images}console-${name}-${colorScheme}-${width}.png` });
      }
      await context.close();
    }
  }
  await receiver.stop();
  await system.stop();
});
