// The work of an administrator, found by labels only, with and without a script.
import { expect, open, Receiver, secret, signIn, test, unique, uniqueID } from "./system.mjs";

test("every setting can be changed and takes effect in the API", { tag: "@main" }, async ({ admin, system }) => {
  await open(admin, "API");
  await admin.getByLabel("Maximum page size").fill("2");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText("Successful update.")).toBeVisible();
  expect((await system.api("GET", "/event_types?pageSize=50")).json.pageSize).toBe(2);

  await admin.getByLabel("Enable docs page").uncheck();
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText("Successful update.")).toBeVisible();
  expect((await fetch(`${system.apiURL}/api/docs`)).status).toBe(404);
  await expect(admin.getByRole("link", { name: "API documentation" })).toHaveCount(0);

  await expect(admin.getByLabel("Allowed origins")).toBeHidden();
  await admin.getByLabel("Enable CORS").check();
  await admin.getByLabel("Allowed origins").fill("https://app.example.com\nhttps://*\nHTTPS://APP.example.com:443");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByRole("alert")).toContainText("Line 2");
  await expect(admin.getByLabel("Allowed origins")).toHaveValue(/https:\/\/\*/);
  await admin.getByLabel("Allowed origins").fill("HTTPS://APP.example.com:443");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByLabel("Allowed origins")).toHaveValue("https://app.example.com");
  const crossed = await fetch(`${system.apiURL}/api/v3`, { headers: { Origin: "https://app.example.com" } });
  expect(crossed.headers.get("access-control-allow-origin")).toBe("https://app.example.com");

  await admin.getByLabel("Enable REST web service").uncheck();
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText("Successful update.")).toBeVisible();
  expect((await system.api("GET", "/webhooks")).status).toBe(403);
  await open(admin, "Webhooks"); // the console works, and the setting can be changed back

  await open(admin, "API");
  await admin.getByLabel("Enable REST web service").check();
  await admin.getByLabel("Maximum page size").fill("1000");
  await admin.getByLabel("Enable docs page").check();
  await admin.getByLabel("Enable CORS").uncheck();
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText("Successful update.")).toBeVisible();
  expect((await system.api("GET", "/settings")).json).toMatchObject({ api: { enabled: true, maxPageSize: 1000, docsEnabled: true }, cors: { enabled: false } });
  expect((await system.api("GET", "/webhooks")).status).toBe(200);
  expect((await fetch(`${system.apiURL}/api/docs`)).status).toBe(200);
});

test("without a webhook the list says what webhooks are for", async ({ admin }) => {
  await open(admin, "Webhooks");
  await expect(admin.getByText("Webhooks notify other applications")).toBeVisible();
  await admin.getByRole("button", { name: "+ Webhook" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: "New webhook" })).toBeVisible();
});

test("a webhook is created, tested, edited, disabled and deleted, and its secret is rotated", { tag: "@main" }, async ({ admin, system }) => {
  const name = unique("Billing");
  await open(admin, "Webhooks");
  await admin.getByRole("button", { name: "+ Webhook" }).click();
  await admin.getByLabel("Name", { exact: true }).fill(name);
  await admin.getByLabel("Payload URL").fill(`${system.receiver}/hooks/billing`);
  await admin.getByLabel("Use this").check();
  await admin.getByRole("textbox", { name: "The secret to use" }).fill(secret);
  await admin.getByRole("button", { name: "Create" }).click(); // no event yet
  await expect(admin.getByRole("alert")).toContainText("Events");
  await expect(admin.getByLabel("Name", { exact: true })).toHaveValue(name);
  await expect(admin.getByRole("textbox", { name: "The secret to use" })).toHaveValue("");
  await admin.getByLabel("All events").check();
  await admin.getByRole("textbox", { name: "The secret to use" }).fill(secret);
  await admin.getByRole("button", { name: "Create" }).click();
  await expect(admin.getByRole("heading", { level: 1, name })).toBeVisible();

  await admin.getByLabel("Event type").selectOption("time_entry:created");
  await admin.getByRole("button", { name: "Send test event" }).click();
  await expect(async () => {
    await admin.reload();
    await expect(admin.locator("#state")).toContainText("Arrived with the first attempt", { timeout: 1000 });
  }).toPass();
  await admin.getByRole("link", { name }).first().click();

  await admin.getByRole("button", { name: "Edit" }).click();
  await admin.getByLabel("Description").fill("Turns time into money");
  await admin.getByText("Advanced", { exact: true }).click();
  await admin.getByLabel("Payload format").selectOption("standard");
  await admin.getByLabel("Timeout (seconds)").fill("99");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByRole("alert")).toContainText("Timeout");
  await admin.getByLabel("Timeout (seconds)").fill("9");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText("Successful update.")).toBeVisible();
  await expect(admin.getByText("Turns time into money")).toBeVisible();

  await admin.getByLabel("Overlap (hours)").fill("0");
  await admin.getByRole("button", { name: "Rotate secret" }).click();
  const shown = await admin.locator("#new-secret").textContent();
  expect(shown).toMatch(/^whsec_/);
  await admin.getByRole("button", { name: "Done" }).click();
  expect(await admin.content()).not.toContain(shown);

  await admin.getByRole("button", { name: "Disable" }).click();
  await expect(admin.getByText("Disabled by hand")).toBeVisible();
  await admin.getByRole("button", { name: "Enable" }).click();
  await expect(admin.getByText("Events that it is subscribed to are sent at once.")).toBeVisible();
  await admin.getByRole("button", { name: "Delete" }).click();
  await expect(admin.getByRole("heading", { level: 1 })).toHaveText(`Delete ${name}?`);
  await admin.getByRole("button", { name: "Delete" }).click();
  await expect(admin.getByText("Deleted.")).toBeVisible();
  await expect(admin.getByRole("link", { name, exact: true })).toHaveCount(0);
});

test("a webhook gets the events of selected projects only", { tag: "@main" }, async ({ admin, system }) => {
  const [name, plant, added] = [unique("Plant only"), unique("Plant"), uniqueID("depot")];
  const [taught, inPlant, elsewhere] = [uniqueID("taught"), uniqueID("in-plant"), uniqueID("elsewhere")];
  const project = { id: uniqueID("plant"), name: plant };
  await system.push(taught, "work_package:updated", project);
  await system.settled(taught);
  await open(admin, "Webhooks");
  await admin.getByRole("button", { name: "+ Webhook" }).click();
  await admin.getByLabel("Name", { exact: true }).fill(name);
  await admin.getByLabel("Payload URL").fill(`${system.receiver}/hooks/plant`);
  await admin.getByLabel("None").check();
  await admin.getByLabel("work_package:updated").check();
  await admin.getByLabel("Selected projects").check();
  await admin.getByLabel(plant).check();
  await admin.getByLabel("Project ID").fill("no spaces allowed");
  await admin.getByRole("button", { name: "Add" }).click();
  await expect(admin.getByRole("alert")).toContainText("Project ID");
  await admin.getByLabel("Project ID").fill(added);
  await admin.getByLabel("Project ID").press("Enter"); // adds the project and does not save
  await expect(admin.getByRole("checkbox", { name: added })).toBeChecked();
  await expect(admin.getByLabel("Project ID")).toBeFocused();
  await expect(admin.getByLabel("Name", { exact: true })).toHaveValue(name);
  await admin.getByRole("checkbox", { name: added }).uncheck();
  await admin.getByRole("button", { name: "Create" }).click();
  await expect(admin.getByRole("heading", { level: 1, name })).toBeVisible();
  const id = new URL(admin.url()).pathname.split("/").at(-1);

  await system.push(inPlant, "work_package:updated", project);
  await system.push(elsewhere, "work_package:updated", { id: added });
  expect((await system.settled(inPlant)).map((d) => d.webhookId)).toContain(id);
  expect((await system.settled(elsewhere)).map((d) => d.webhookId)).not.toContain(id);
  await system.api("DELETE", `/webhooks/${id}`);
});

test("a failed delivery is found, understood and retried", { tag: "@main" }, async ({ admin, system }) => {
  const [name, event] = [unique("Warehouse"), uniqueID("broken")];
  let broken = true;
  const receiver = await Receiver.start((_, response) => {
    response.writeHead(broken ? 503 : 200, { "Content-Type": "text/plain" });
    response.end(broken ? "the database is away" : "fine");
  });
  const { id } = await system.webhook({ name, payloadUrl: `${receiver.url}/in`, headers: { "X-Token": "credential-4711" } });
  await system.push(event);
  await system.settled(event);
  broken = false;

  await open(admin, "Deliveries");
  await expect(async () => {
    await admin.reload();
    await expect(admin.getByRole("row", { name })).toBeVisible({ timeout: 1000 });
  }).toPass();
  await admin.getByRole("row", { name }).getByRole("link", { name: "work_package:updated" }).click();
  await expect(admin.locator("#state")).toContainText("Failed once, and the schedule has no more attempts.");
  await expect(admin.getByText("The receiver answered 503 Service Unavailable.")).toBeVisible();
  await expect(admin.getByText("the database is away")).toBeVisible();
  await expect(admin.locator("#curl")).toContainText("curl --globoff --path-as-is -i -X POST");
  expect(await admin.content()).not.toContain("credential-4711");
  await admin.getByRole("link", { name: /Complete body as text/ }).click();
  await expect(admin.locator("body")).toContainText('"action":"work_package:updated"');
  await admin.goBack();
  await admin.getByRole("button", { name: "Retry now" }).click();
  await expect(admin.getByText("Another attempt will be made.")).toBeVisible();
  await expect(async () => {
    await admin.goto(admin.url().split("?")[0]);
    await expect(admin.locator("#state")).toContainText("Arrived with attempt 2", { timeout: 1000 });
  }).toPass();
  await system.api("DELETE", `/webhooks/${id}`);
  await receiver.stop();
});

test("selected deliveries are retried together", { tag: "@main" }, async ({ admin, system }) => {
  const name = unique("Broken");
  const receiver = await Receiver.start((_, response) => response.writeHead(500).end());
  const { id } = await system.webhook({ name, payloadUrl: receiver.url });
  for (const event of [uniqueID("t-1"), uniqueID("t-2"), uniqueID("t-3")]) {
    await system.push(event);
    await system.settled(event);
  }
  const rows = admin.getByRole("row", { name });
  await expect(async () => {
    await open(admin, "Deliveries");
    await expect(rows).toHaveCount(3, { timeout: 1000 });
  }).toPass();
  for (const row of [rows.nth(0), rows.nth(1)]) await row.getByRole("checkbox", { name: /Select work_package/ }).check();
  await admin.getByRole("button", { name: "Retry selected" }).click();
  await expect(admin.getByText("Another attempt will be made.")).toBeVisible();
  await expect(async () => {
    const list = (await system.api("GET", `/webhooks/${id}/deliveries`)).json._embedded.elements;
    expect(list.map((d) => d.attemptCount).sort()).toEqual([1, 2, 2]);
  }).toPass();
  await system.api("DELETE", `/webhooks/${id}`);
  await receiver.stop();
});

test("a webhook is paused, and what was held is released or dropped", async ({ admin, system }) => {
  const name = unique("Under repair");
  const { id } = await system.webhook({ name, events: ["version:created"] });
  const address = `${system.url}/admin/webhooks/${id}`;
  const held = () => admin.getByRole("table", { name: "Recent deliveries" }).getByText("Held", { exact: true });
  const pauseAndHold = async (...events) => {
    await admin.goto(address);
    await admin.getByRole("button", { name: "Pause" }).click();
    await expect(admin.getByText("Paused. Deliveries are held until you resume the webhook.")).toBeVisible();
    await expect(admin.getByText("Press Resume to send what is held, or to drop it.")).toBeVisible();
    for (const event of events) await system.push(event, "version:created");
    await expect(async () => {
      await admin.goto(`${address}?state=held`);
      await expect(held()).toHaveCount(events.length, { timeout: 1000 });
    }).toPass();
  };
  const showsInState = (event, text) => expect(async () => {
    const delivery = (await system.api("GET", `/events/${event}/deliveries`)).json._embedded.elements.find((d) => d.webhookId === id);
    await admin.goto(`${system.url}/admin/deliveries/${delivery.id}`);
    await expect(admin.locator("#state")).toContainText(text, { timeout: 1000 });
  }).toPass();

  const [first, second, third] = [uniqueID("held-1"), uniqueID("held-2"), uniqueID("dropped")];
  await pauseAndHold(first, second);
  await admin.goto(`${system.url}/admin/webhooks?name=${encodeURIComponent(name)}`);
  await expect(admin.getByRole("row", { name })).toContainText("Paused");
  await showsInState(first, "Held, because its webhook is paused.");
  await expect(admin.getByRole("button", { name: "Retry now" })).toHaveCount(0);
  await admin.goto(address);
  await expect(admin.getByText("2 deliveries are held.")).toBeVisible();
  await admin.getByRole("button", { name: "Resume" }).click();
  await expect(admin.getByRole("heading", { level: 1 })).toHaveText(`Resume ${name}?`);
  await expect(admin.getByText("2 deliveries are held for this webhook.")).toBeVisible();
  await expect(admin.getByLabel("Release")).toBeChecked();
  await admin.getByLabel("Deliveries a second").fill("0");
  await admin.getByRole("button", { name: "Resume" }).click();
  await expect(admin.getByRole("alert")).toContainText("Deliveries a second");
  await admin.getByLabel("Deliveries a second").fill("100");
  await admin.getByRole("button", { name: "Resume" }).click();
  await expect(admin.getByText("Resumed. What was held is being sent.")).toBeVisible();
  for (const event of [first, second]) await showsInState(event, "Arrived with the first attempt");

  await pauseAndHold(third);
  await admin.getByRole("button", { name: "Resume" }).click();
  await expect(admin.getByText("1 delivery is held for this webhook.")).toBeVisible();
  await admin.getByLabel("Drop").check();
  await expect(admin.getByLabel("Deliveries a second")).toBeHidden();
  await admin.getByRole("button", { name: "Resume" }).click();
  await expect(admin.getByText("Resumed. What was held is being dropped.")).toBeVisible();
  await showsInState(third, "Not sent, because somebody resumed the webhook and dropped what was held.");
  await system.api("DELETE", `/webhooks/${id}`);
});

test("the console explains why a webhook gets an event, and why not", { tag: "@main" }, async ({ admin, system }) => {
  const [name, depot, project] = [unique("Hook"), unique("Depot"), uniqueID("depot")];
  await system.api("PUT", `/projects/${project}`, { name: depot });
  const { id } = await system.webhook({ name, events: ["time_entry:*"], projects: { ids: [project] } });
  await open(admin, "Why (not)?");
  await admin.getByLabel("Event type").selectOption("time_entry:created");
  await admin.getByLabel("Project").selectOption(depot);
  await admin.getByRole("button", { name: "Explain", exact: true }).click();
  await expect(admin.getByRole("heading", { name: /^Wanted by \d+ of \d+ webhooks?: time_entry:created$/ })).toBeVisible();
  await expect(admin.getByRole("row", { name })).toContainText("Yes");
  await admin.getByLabel("Event as JSON").fill('{"type":"user:created","data":{"id":1}}');
  await admin.getByRole("button", { name: "Explain event" }).click();
  await expect(admin.getByRole("row", { name })).toContainText("does not belong to a project");
  await admin.getByLabel("Event as JSON").fill('{"type":');
  await admin.getByRole("button", { name: "Explain event" }).click();
  await expect(admin.getByRole("alert")).toContainText("line 1");
  await system.api("DELETE", `/webhooks/${id}`);
});

test("an application is created, used and deleted, and its secret is rotated", { tag: "@main" }, async ({ admin, system, browser }) => {
  const name = unique("Reader");
  await open(admin, "Applications");
  await admin.getByRole("button", { name: "+ Application" }).click();
  await admin.getByLabel("Name", { exact: true }).fill(name);
  await admin.getByRole("checkbox", { name: "webhooks:read" }).check();
  await admin.getByRole("button", { name: "Create" }).click();
  const client = { id: await admin.locator("#client-id").textContent(), secret: await admin.locator("#new-secret").textContent() };
  expect(await system.token(client)).toBeTruthy();

  const theirs = await (await browser.newContext()).newPage();
  await signIn(theirs, system, client);
  await expect(theirs.getByRole("navigation", { name: "Administration" }).getByRole("link")).toHaveText(["Webhooks", "Why (not)?", "API documentation"]);
  await expect(theirs.getByRole("button", { name: "+ Webhook" })).toHaveCount(0);
  expect((await theirs.goto(`${system.url}/admin/webhooks/new`)).status()).toBe(403);

  await admin.getByRole("button", { name: "Done" }).click();
  await admin.getByRole("button", { name: "Rotate secret" }).click();
  const second = await admin.locator("#new-secret").textContent();
  expect(second).not.toBe(client.secret);
  await admin.getByRole("button", { name: "Done" }).click();
  await admin.getByRole("button", { name: /^Remove the secret .* older$/ }).click();
  await expect(admin.getByText("ends at once, and so do the tokens")).toBeVisible();
  await admin.getByRole("button", { name: "Remove" }).click();
  await expect(admin.getByText("The secret was removed.")).toBeVisible();
  await theirs.goto(`${system.url}/admin/webhooks`); // the session began with the removed secret
  await expect(theirs.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();

  await signIn(theirs, system, { id: client.id, secret: second });
  await admin.getByRole("button", { name: "End all tokens and sessions" }).click();
  await expect(admin.getByRole("heading", { level: 1 })).toHaveText(`End all tokens and sessions of ${name}?`);
  await admin.getByRole("button", { name: "End all" }).click();
  await expect(admin.getByText("All tokens and sessions were ended.")).toBeVisible();
  await theirs.goto(`${system.url}/admin/webhooks`);
  await expect(theirs.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  expect(await system.token({ id: client.id, secret: second })).toBeTruthy();

  await admin.getByRole("button", { name: "Delete" }).click();
  await admin.getByRole("button", { name: "Delete" }).click();
  await expect(admin.getByRole("row", { name })).toHaveCount(0);
  expect(await system.token({ id: client.id, secret: second })).toBeUndefined();
});

test("signing out ends the session on the server", { tag: "@main" }, async ({ admin, system, context }) => {
  const cookies = await context.cookies();
  await admin.getByRole("button", { name: "Sign out" }).click();
  await expect(admin.getByText("You are signed out.")).toBeVisible();
  await context.addCookies(cookies);
  await admin.goto(`${system.url}/admin/webhooks`);
  await expect(admin.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
});
