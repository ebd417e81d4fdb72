// Browser tests of the console, in the Chromium that the system has. Run by `make test`; each test starts the whole
// system in memory, on free ports.
import { defineConfig } from "@playwright/test";

// A local endpoint starts functions when they are first asked, and its gateway takes its time with a large script.
const patience = process.env.CONSOLE_URL ? 3 : 1;

export default defineConfig({
  testDir: ".",
  outputDir: "../../test-results",
  globalSetup: "./build.mjs",
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  retries: 0,
  timeout: patience * 60_000,
  expect: { timeout: patience * 10_000 },
  reporter: [["list"]],
  use: {
    ignoreHTTPSErrors: Boolean(process.env.CONSOLE_URL), // local endpoints make their certificates themselves
    actionTimeout: patience * 10_000,
    navigationTimeout: patience * 15_000,
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "with script", testIgnore: /screenshots/ },
    { name: "without script", testMatch: /story/, use: { javaScriptEnabled: false } },
    { name: "screenshots", testMatch: /screenshots/ },
  ],
});
