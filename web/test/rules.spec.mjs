// Rules for every page: accessibility, layout shift, sideways scrolling, sizes and headers. The other tests try things that
// must not be possible.
import AxeBuilder from "@axe-core/playwright";
import http from "node:http";
import zlib from "node:zlib";
import { admin as administrator, expect, open, Receiver, secret, signIn, test } from "./system.mjs";

const longName = "n".repeat(255);
const rightToLeft = "תיאור מימין לשמאל ‮abc";

/** Fills a system so that every kind of page has something to show. Returns the titles of the pages by path. */
async function populated(system) {
  const receiver = await Receiver.start((_, response) => {
    response.writeHead(500, { "Content-Type": "text/html" });
    response.end("<h1>Oops</h1><script>alert(1)</script>\u0000\u001b[31mred\u202e");
  });
  for (let i = 1; i <= 20; i++) await system.api("PUT", `/projects/p${i}`, { name: `Project ${i}`, identifier: `project-${i}` });
  const broken = await system.webhook({ name: "<script>alert(1)</script>", payloadUrl: `${receiver.url}/in`, description: rightToLeft, headers: { "X-Token": "credential-4711" } });
  await system.webhook({ name: longName, projects: { ids: ["p1", "p2", "p3", "p4", "p5"] }, events: ["project:*", "user:created", "version:*", "time_entry:*", "member:*"] });
  await system.webhook({ name: "Off", enabled: false });
  await system.push("e-1");
  const [delivery] = await system.settled("e-1");
  await receiver.stop();
  const paused = await system.webhook({ name: "Paused", events: ["version:created"] });
  await system.api("POST", `/webhooks/${paused.id}/pause`);
  await system.push("e-2", "version:created");
  const held = await system.inState("e-2", paused.id, "held");
  const client = await system.client("Reader", ["webhooks:read"]);
  return {
    "/sign_in": "Sign in", "/api": "API", "/webhooks": "Webhooks", "/webhooks/new": "New webhook", [`/webhooks/${broken.id}`]: broken.name,
    [`/webhooks/${broken.id}/edit`]: "Edit webhook", [`/webhooks/${broken.id}/delete`]: `Delete ${broken.name}?`, "/deliveries": "Deliveries",
    [`/deliveries/${delivery.id}`]: "Delivery of work_package:updated",
    [`/webhooks/${paused.id}`]: "Paused", [`/webhooks/${paused.id}/resume`]: "Resume Paused?", [`/deliveries/${held.id}`]: "Delivery of version:created",
    "/why?event=user%3Acreated": "Why (not)?", "/applications": "Applications",
    "/applications/new": "New application", [`/applications/${client.id}`]: "Reader", [`/applications/${client.id}/delete`]: "Delete Reader?", [`/applications/${client.id}/revoke`]: "End all tokens and sessions of Reader?", "/nowhere": "Not found",
  };
}

async function expectAccessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => `${v.id}: ${v.nodes[0].html}`), what).toEqual([]);
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [320, 1280]) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: 800 } });
      test("axe finds nothing, and nothing scrolls sideways or shifts", async ({ page, system }) => {
        test.setTimeout(180_000);
        await page.addInitScript(() => {
          window.shifted = 0;
          new PerformanceObserver((list) => {
            for (const e of list.getEntries()) window.shifted += e.value;
          }).observe({ type: "layout-shift", buffered: true });
        });
        await page.route("**/static/script.*.js", async (route) => { // so that the page is painted before the script arrives
          await new Promise((slow) => { setTimeout(slow, 300); });
          await route.continue();
        });
        page.on("dialog", () => { throw new Error("a foreign script ran"); });
        await signIn(page, system);
        for (const [path, title] of Object.entries(await populated(system))) {
          await page.goto(`${system.url}/admin${path}`);
          await expect(page, path).toHaveTitle(`${title} · Nepenthes`);
          await expect(page.locator("h1"), path).toHaveCount(1);
          await page.evaluate(() => { for (const part of document.querySelectorAll("details")) part.open = true; });
          await expectAccessible(page, path);
          const { scroll, shifted, stored } = await page.evaluate(() => ({
            scroll: document.documentElement.scrollWidth - innerWidth, shifted: window.shifted, stored: localStorage.length + sessionStorage.length,
          }));
          expect({ path, scroll: Math.max(scroll, 0), shifted, stored }).toEqual({ path, scroll: 0, shifted: 0, stored: 0 });
        }
      });

      test("axe finds nothing on forms with faults", async ({ page, system }) => {
        await signIn(page, system);
        await page.goto(`${system.url}/admin/webhooks/new`);
        await page.getByText("Advanced", { exact: true }).click();
        await page.getByLabel("Timeout (seconds)").fill("0");
        await page.getByRole("button", { name: "Create" }).click();
        await expect(page.getByRole("alert")).toBeFocused();
        await expectAccessible(page, "webhook");
        await page.getByRole("alert").getByRole("link", { name: /^Payload URL/ }).click();
        await expect(page.getByLabel("Payload URL")).toBeFocused();
        await page.goto(`${system.url}/admin/applications/new`);
        await page.getByRole("button", { name: "Create" }).click();
        await expect(page.getByRole("alert")).toBeFocused();
        await expectAccessible(page, "application");
        await page.goto(`${system.url}/admin/api`);
        await page.getByLabel("Enable CORS").check();
        await page.getByLabel("Maximum page size").fill("0");
        await page.getByRole("button", { name: "Save" }).click();
        await expect(page.getByRole("alert")).toBeFocused();
        await expectAccessible(page, "settings");
        const paused = await system.webhook();
        await system.api("POST", `/webhooks/${paused.id}/pause`);
        await page.goto(`${system.url}/admin/webhooks/${paused.id}/resume`);
        await page.getByLabel("Deliveries a second").fill("0");
        await page.getByRole("button", { name: "Resume" }).click();
        await expect(page.getByRole("alert")).toBeFocused();
        await expectAccessible(page, "resume");
      });
    });
  }
}

/** Styles with the letter widths of fonts on other machines, since these matter to the layout. */
const fonts = {
  "the font of this machine": "",
  "letters of one width": "*, *::before { font-family: monospace !important; }",
  "narrow letters": "*, *::before { font-family: serif !important; letter-spacing: -0.04em !important; }",
  "wide letters": "*, *::before { letter-spacing: 0.08em !important; }",
  // The text spacing that readers can set (WCAG 2.2, success criterion 1.4.12).
  "text spacing": "*, *::before { letter-spacing: 0.12em !important; word-spacing: 0.16em !important; line-height: 1.5 !important; }",
};

test("nothing scrolls sideways at any width and with any font", async ({ admin, system }) => {
  test.setTimeout(300_000);
  const pages = await populated(system);
  const long = await system.webhook({ name: `${"unbroken".repeat(20)}` });
  const ping = (await system.api("POST", `/webhooks/${long.id}/ping`, { event: "work_package_comment:comment" })).json;
  await system.settled("e-1");
  await expect(async () => expect((await system.api("GET", `/deliveries/${ping.id}`)).json.attemptCount).toBe(1)).toPass();
  for (const path of [...Object.keys(pages).filter((path) => path !== "/sign_in"), `/webhooks/${long.id}/edit`, `/deliveries/${ping.id}`]) {
    await admin.goto(`${system.url}/admin${path}`);
    await admin.evaluate(() => { for (const part of document.querySelectorAll("details")) part.open = true; });
    for (const width of [320, 360, 390, 480, 640, 768, 833, 992, 1024, 1160, 1200, 1201, 1280]) {
      await admin.setViewportSize({ width, height: 800 });
      const wider = await admin.evaluate((styles) => Object.entries(styles).map(([font, style]) => {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(style);
        document.adoptedStyleSheets = [sheet];
        return [font, document.documentElement.scrollWidth - innerWidth];
      }).filter(([, by]) => by > 0).map(([font, by]) => `${font}: ${by} px too wide`), fonts);
      expect.soft(wider, `${path} at ${width} px`).toEqual([]);
    }
  }
});

test("a button that is pressed twice acts once, and the secret is shown", async ({ admin, system }) => {
  await admin.goto(`${system.url}/admin/webhooks/new`);
  await admin.getByLabel("Name", { exact: true }).fill("Twice");
  await admin.getByLabel("Payload URL").fill(`${system.receiver}/hooks/x`);
  await admin.getByLabel("All events").check();
  let sent = 0;
  await admin.route("**/webhooks/new", async (route) => {
    sent++;
    await new Promise((slow) => { setTimeout(slow, 400); });
    await route.continue();
  });
  await admin.getByRole("button", { name: "Create" }).dblclick();
  await expect(admin.locator("#new-secret")).toHaveText(/^whsec_/);
  expect(sent).toBe(1);
});

test("a page is small, also with style and script", async ({ admin, system }) => {
  for (let i = 1; i <= 100; i++) await system.api("PUT", `/projects/p${i}`, { name: `Project number ${i}`, identifier: `project-${i}` });
  await system.webhook();
  await system.push("e-1");
  const [delivery] = await system.settled("e-1");
  const packed = async (path) => zlib.gzipSync(Buffer.from(await (await admin.request.get(`${system.url}${path}`)).body())).length;
  const files = [...(await (await admin.request.get(`${system.url}/admin/api`)).text()).matchAll(/"(\/admin\/static\/[^"]+)"/g)].map((m) => m[1]);
  expect(files.length).toBe(3);
  let first = 0;
  for (const file of files) first += await packed(file);
  for (const path of ["/admin/webhooks", "/admin/webhooks/new", `/admin/webhooks/${delivery.webhookId}`, `/admin/deliveries/${delivery.id}`, "/admin/why"]) {
    const page = await packed(path);
    expect(page, path).toBeLessThanOrEqual(15_000);
    expect(first + page, path).toBeLessThanOrEqual(60_000);
  }
});

test("static files are cached for a year under a name with their hash, and pages are not cached", async ({ admin, system }) => {
  const page = await admin.request.get(`${system.url}/admin/api`);
  expect(page.headers()).toMatchObject({
    "cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  });
  const [, style] = /"(\/admin\/static\/style\.[0-9a-f]{12}\.css)"/.exec(await page.text());
  expect((await admin.request.get(`${system.url}${style}`)).headers()["cache-control"]).toContain("max-age=31536000");
  expect((await admin.request.get(`${system.url}/admin/static/style.css`)).status()).toBe(404);
});

test("when two administrators save one form, nothing is lost and both values are shown", async ({ admin, system, browser }) => {
  const other = await (await browser.newContext()).newPage();
  await signIn(other, system);
  for (const page of [admin, other]) await page.goto(`${system.url}/admin/api`);
  await other.getByLabel("Maximum page size").fill("300");
  await other.getByRole("button", { name: "Save" }).click();
  await admin.getByLabel("Maximum page size").fill("400");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByRole("alert")).toContainText("Somebody else saved meanwhile");
  await expect(admin.getByLabel("Maximum page size")).toHaveValue("400");
  await expect(admin.getByText("Saved by somebody else meanwhile: 300")).toBeVisible();
  expect((await system.api("GET", "/settings")).json.api.maxPageSize).toBe(300);
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText("Successful update.")).toBeVisible();
  expect((await system.api("GET", "/settings")).json.api.maxPageSize).toBe(400);

  const { id } = await system.webhook();
  for (const page of [admin, other]) await page.goto(`${system.url}/admin/webhooks/${id}/edit`);
  await other.getByLabel("Name", { exact: true }).fill("Their name");
  await other.getByRole("button", { name: "Save" }).click();
  await admin.getByLabel("Description").fill("My description");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByText("Saved by somebody else meanwhile: Their name")).toBeVisible();
  await expect(admin.getByLabel("Description")).toHaveValue("My description");
});

test("when a session ends, the input of a form is kept", async ({ admin, system, context }) => {
  await admin.goto(`${system.url}/admin/webhooks/new`);
  await admin.getByLabel("Name", { exact: true }).fill("Typed for long");
  await admin.getByLabel("Payload URL").fill(`${system.receiver}/hooks/x`);
  await admin.getByLabel("All events").check();
  await admin.getByLabel("Use this").check();
  await admin.getByRole("textbox", { name: "The secret to use" }).fill(secret);
  await context.clearCookies();
  await admin.getByRole("button", { name: "Create" }).click();
  await expect(admin.getByText("Nothing was saved: sign in in a new tab, come back, press Save again.")).toBeVisible();
  await expectAccessible(admin, "session ended");
  expect(await admin.content()).not.toContain(secret);
  const tab = context.waitForEvent("page");
  await admin.getByRole("link", { name: "Sign in (in a new tab)" }).click();
  await signIn(await tab, system);
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByRole("alert")).toContainText("Enter the secret");
  await expect(admin.getByLabel("Name", { exact: true })).toHaveValue("Typed for long");
  await admin.getByRole("textbox", { name: "The secret to use" }).fill(secret);
  await admin.getByRole("button", { name: "Create" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: "Typed for long" })).toBeVisible();
});

test("a form from another origin is refused, and a link from there works", async ({ page, system }) => {
  const { id } = await system.webhook();
  const elsewhere = http.createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(request.url === "/link" ? `<a href="${system.url}/admin/webhooks/${id}">look</a>`
      : `<form method="post" action="${system.url}/admin/webhooks/${id}/delete"><button>win</button></form>`);
  });
  await new Promise((done) => elsewhere.listen(0, "127.0.0.1", done));
  const site = `http://localhost:${elsewhere.address().port}`; // another site than 127.0.0.1
  await signIn(page, system);
  await page.goto(`${site}/link`);
  await page.getByRole("link", { name: "look" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Billing" })).toBeVisible();
  await page.goto(`${site}/form`);
  const answer = page.waitForResponse((r) => r.request().method() === "POST");
  await page.getByRole("button", { name: "win" }).click();
  expect((await answer).status()).toBe(403);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("This form came from another site");
  expect((await system.api("GET", `/webhooks/${id}`)).status).toBe(200);
  await new Promise((done) => elsewhere.close(done));
});

test("reloading the page that shows a secret creates nothing", async ({ admin, system }) => {
  await admin.goto(`${system.url}/admin/webhooks/new`);
  await admin.getByLabel("Name", { exact: true }).fill("Once");
  await admin.getByLabel("Payload URL").fill(`${system.receiver}/hooks/x`);
  await admin.getByLabel("Generate").check();
  await admin.getByLabel("All events").check();
  await admin.getByRole("button", { name: "Create" }).click();
  const shown = await admin.locator("#new-secret").textContent();
  await expect(admin.getByRole("button", { name: "Copy" })).toBeVisible();
  await expectAccessible(admin, "secret");
  await admin.reload();
  await expect(admin.getByText("Nothing was created again.")).toBeVisible();
  expect(await admin.content()).not.toContain(shown);
  expect((await system.api("GET", "/webhooks")).json.total).toBe(1);
});

test("foreign text is shown but not interpreted", async ({ admin, system }) => {
  const [path] = Object.entries(await populated(system)).find(([, title]) => title === "Delivery of work_package:updated");
  await admin.goto(`${system.url}/admin${path}`);
  await expect(admin.getByText("<h1>Oops</h1><script>alert(1)</script>␀␛[31mred")).toBeVisible();
  expect(await admin.content()).not.toContain("credential-4711");
  await open(admin, "Webhooks");
  await expect(admin.getByRole("link", { name: "<script>alert(1)</script>" })).toBeVisible();
  await expect(admin.getByText("credential-4711")).toHaveCount(0);
});

/** Presses Tab, and checks that the element with the focus is visible. */
async function tab(page) {
  await page.keyboard.press("Tab");
  const hidden = await page.evaluate(() => {
    const { activeElement: focused } = document;
    const box = focused.getBoundingClientRect();
    const bar = document.querySelector(".bar")?.getBoundingClientRect();
    return bar && !focused.closest(".bar") && box.bottom > bar.top && box.top < bar.bottom ? focused.outerHTML : "";
  });
  expect(hidden, "the focus is under the bar").toBe("");
}

test("on a small screen the focus is always visible", async ({ admin, system }) => {
  const receiver = await Receiver.start((_, response) => response.writeHead(500).end());
  await system.webhook({ payloadUrl: receiver.url });
  for (let i = 1; i <= 12; i++) await system.push(`e-${i}`);
  for (let i = 1; i <= 12; i++) await system.settled(`e-${i}`);
  await receiver.stop();
  await admin.setViewportSize({ width: 320, height: 480 });
  await expect(async () => {
    await admin.goto(`${system.url}/admin/deliveries`);
    await expect(admin.getByRole("row")).toHaveCount(13, { timeout: 1000 });
  }).toPass();
  const last = admin.getByRole("button", { name: "Retry selected" });
  for (let i = 0; !(await last.evaluate((e) => e === document.activeElement)); i++) {
    expect(i, "Tab reaches the last button").toBeLessThan(100);
    await tab(admin);
  }
});

test("a webhook is created and deleted by keyboard, with the focus always visible", async ({ page, system }) => {
  await page.goto(`${system.url}/admin/webhooks/new`);
  const tabTo = async (locator) => {
    for (let i = 0; i < 120; i++) {
      await tab(page);
      if (await locator.evaluate((e) => e === document.activeElement)) return;
    }
    throw new Error(`Tab never reached ${locator}`);
  };
  await tabTo(page.getByLabel("Client ID"));
  await page.keyboard.type(administrator.id);
  await tabTo(page.getByLabel("Client secret"));
  await page.keyboard.type(administrator.secret);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "New webhook" })).toBeVisible();
  await tabTo(page.getByLabel("Name", { exact: true }));
  await page.keyboard.type("By keyboard");
  await tabTo(page.getByLabel("Payload URL"));
  await page.keyboard.type(`${system.receiver}/hooks/x`);
  await tabTo(page.getByLabel("Generate"));
  await page.keyboard.press("ArrowUp"); // None
  await tabTo(page.getByLabel("All events"));
  await page.keyboard.press("Space");
  await tabTo(page.getByRole("button", { name: "Create" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "By keyboard" })).toBeVisible();
  await tabTo(page.getByRole("button", { name: "Delete" }));
  await page.keyboard.press("Space");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Delete By keyboard?");
  await tabTo(page.getByRole("button", { name: "Delete" }));
  await page.keyboard.press("Enter");
  await expect(page.getByText("Deleted.")).toBeVisible();
});

test("a delivery is followed, with times in the reader's zone", async ({ browser, system }) => {
  const page = await (await browser.newContext({ timezoneId: "Asia/Tokyo" })).newPage();
  await signIn(page, system);
  const { id } = await system.webhook({ payloadUrl: `${system.receiver}/flaky/x`, retrySchedule: "standard" });
  await page.goto(`${system.url}/admin/webhooks/${id}`);
  await system.push("followed");
  await expect(async () => expect((await system.api("GET", "/events/followed/deliveries")).json.count).toBe(1)).toPass();
  const [delivery] = (await system.api("GET", "/events/followed/deliveries")).json._embedded.elements;
  await page.goto(`${system.url}/admin/deliveries/${delivery.id}`);
  const link = page.locator("main dl").getByRole("link", { name: "Billing" });
  await link.focus();
  await expect(page.locator("#state")).toContainText("Arrived with attempt 3", { timeout: 40_000 }); // without a reload
  await expect(link).toBeFocused();
  const time = page.locator("#state time");
  const utc = new Date(await time.getAttribute("datetime"));
  const tokyo = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Tokyo", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(utc);
  await expect(time).toContainText(tokyo);
  await expect(time).toHaveAttribute("title", /UTC$/);
});

test("filters for times are in the reader's zone", async ({ browser, system }) => {
  const page = await (await browser.newContext({ timezoneId: "Asia/Tokyo" })).newPage();
  await signIn(page, system);
  const { id } = await system.webhook();
  await page.goto(`${system.url}/admin/webhooks/${id}`);
  await page.getByLabel("From (your time)").fill("2026-01-02T09:00");
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(/from=2026-01-02T00%3A00%3A00/);
  await expect(page.getByLabel("From (your time)")).toHaveValue(/^2026-01-02T09:00/);
  await page.goto(`${system.url}/admin/webhooks/${id}?from=yesterday`);
  await expect(page.getByRole("alert")).toContainText("From is not a time.");
});

test("a notice is shown once", async ({ admin, system }) => {
  const { id } = await system.webhook();
  await admin.goto(`${system.url}/admin/webhooks/${id}`);
  await admin.getByRole("button", { name: "Disable" }).click();
  await expect(admin.getByText("Disabled.", { exact: true })).toBeVisible();
  await admin.reload();
  await expect(admin.getByText("Disabled by hand")).toBeVisible();
  await expect(admin.getByText("Disabled.", { exact: true })).toHaveCount(0);
});

test("a secret is copied", async ({ admin, system, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const { id } = await system.webhook();
  await admin.goto(`${system.url}/admin/webhooks/${id}`);
  await admin.getByRole("button", { name: "Rotate secret" }).click();
  await admin.getByRole("button", { name: "Copy" }).click();
  await expect(admin.getByRole("button", { name: "Copied" })).toBeVisible();
  expect(await admin.evaluate(() => navigator.clipboard.readText())).toBe(await admin.locator("#new-secret").textContent());
});

test("a long list of projects is filtered in place", async ({ admin, system }) => {
  for (let i = 1; i <= 15; i++) await system.api("PUT", `/projects/p${i}`, { name: `Project ${i}` });
  await admin.goto(`${system.url}/admin/webhooks/new`);
  await admin.getByLabel("Selected projects").check();
  await admin.getByRole("checkbox", { name: "Project 2" }).check();
  await admin.getByLabel("Filter this list").fill("project 15");
  await expect(admin.locator("#project-list label:visible")).toHaveText([/Project 2/, /Project 15/]); // the ticked project stays
});

test("the documentation authorises and calls the API, and stores nothing", { tag: "@main" }, async ({ page, system }) => {
  const complaints = [];
  page.on("console", (message) => { if (message.type() === "error") complaints.push(message.text()); });
  page.on("request", (request) => { if (new URL(request.url()).origin !== new URL(system.url).origin && !request.url().startsWith("data:")) complaints.push(request.url()); });
  await page.goto(`${system.url}/api/docs`);
  await page.getByRole("button", { name: "Authorize" }).first().click();
  await page.locator("#client_id_clientCredentials").fill(administrator.id);
  await page.locator("#client_secret_clientCredentials").fill(administrator.secret);
  await page.getByText("select all").click();
  await page.locator(".auth-btn-wrapper").getByRole("button", { name: /Authorize|Apply/ }).click();
  await expect(page.locator(".auth-btn-wrapper").getByRole("button", { name: /Logout|Remove/ })).toBeVisible();
  await page.locator(".auth-btn-wrapper").getByRole("button", { name: "Close" }).click();
  await page.locator("#operations-Settings-readSettings").getByRole("button").first().click();
  await page.getByRole("button", { name: "Try it out" }).click();
  await page.getByRole("button", { name: "Execute" }).click();
  await expect(page.locator(".live-responses-table")).toContainText('"_type": "Settings"');
  expect(await page.evaluate(() => localStorage.length + sessionStorage.length)).toBe(0);
  expect(complaints).toEqual([]);
});
