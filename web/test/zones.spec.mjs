// Times in the reader's zone. A filter that was not changed is sent back with the same moment.
import { expect, test } from "./system.mjs";

test.use({ timezoneId: "Europe/Berlin" });

for (const [what, from, shown] of [
  ["the first 02:30 of the night when clocks go back", "2026-10-25T00:30", "2026-10-25T02:30"],
  ["the second 02:30 of the night when clocks go back", "2026-10-25T01:30", "2026-10-25T02:30"],
  ["the moment after the hour that is skipped in spring", "2026-03-29T01:00", "2026-03-29T03:00"],
  ["seconds", "2026-07-01T10:00:07", "2026-07-01T12:00:07"],
  ["parts of a second", "2026-07-01T10:00:07.123", "2026-07-01T12:00:07"],
  ["a year of three digits", "0999-01-01T00:00", "0999-01-01T00:53:28"],
  ["the first moment of year 1", "0001-01-01T00:00", "0001-01-01T00:53:28"],
]) {
  test(`a filter that was not changed is sent back unchanged: ${what}`, async ({ admin, system }) => {
    const { id } = await system.webhook();
    await admin.goto(`${system.url}/admin/webhooks/${id}?from=${encodeURIComponent(from)}`);
    await expect(admin.getByLabel("From (your time)")).toHaveValue(shown);
    for (let i = 0; i < 2; i++) {
      await admin.getByRole("button", { name: "Filter" }).click();
      await expect(admin).toHaveURL(/event=/);
      expect(new URL(admin.url()).searchParams.get("from")).toBe(from);
      await expect(admin.getByLabel("From (your time)")).toHaveValue(shown);
    }
  });
}

test("a changed filter is in the reader's zone", async ({ admin, system }) => {
  const { id } = await system.webhook();
  await admin.goto(`${system.url}/admin/webhooks/${id}?from=2026-10-25T01:30`);
  await admin.getByLabel("From (your time)").fill("2026-10-26T02:30");
  await admin.getByLabel("Until (your time)").fill("2026-03-29T02:30"); // a time that no clock showed, because the hour is skipped
  await admin.getByRole("button", { name: "Filter" }).click();
  await expect(admin.getByLabel("Until (your time)")).toHaveValue("2026-03-29T03:30");
  const query = new URL(admin.url()).searchParams;
  expect([query.get("from"), query.get("until")]).toEqual(["2026-10-26T01:30:00", "2026-03-29T01:30:00"]);
});

test.describe("west of Greenwich", () => {
  test.use({ timezoneId: "America/New_York" });
  test("a moment that no field can show is sent back unchanged", async ({ admin, system }) => {
    const { id } = await system.webhook();
    await admin.goto(`${system.url}/admin/webhooks/${id}?from=0001-01-01T00:00`);
    await admin.getByRole("button", { name: "Filter" }).click();
    await expect(admin).toHaveURL(/event=/);
    expect(new URL(admin.url()).searchParams.get("from")).toBe("0001-01-01T00:00");
  });
});

test.describe("without script", () => {
  test.use({ javaScriptEnabled: false });
  test("times of a filter are in UTC, and the label says so", async ({ page, system }) => {
    const { id } = await system.webhook();
    const { admin } = await import("./system.mjs");
    await page.goto(`${system.url}/admin/webhooks/${id}?from=2026-10-25T01:30`);
    await page.getByLabel("Client ID").fill(admin.id);
    await page.getByLabel("Client secret").fill(admin.secret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByLabel("From (UTC)")).toHaveValue("2026-10-25T01:30");
    await page.getByRole("button", { name: "Filter" }).click();
    expect(new URL(page.url()).searchParams.get("from")).toBe("2026-10-25T01:30");
  });
});
