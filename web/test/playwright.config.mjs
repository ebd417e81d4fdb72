// The browser tests of the console. They use the Chromium of the machine. `make test` runs them. Each test starts the
// complete system in memory, on free ports.
import { defineConfig } from "@playwright/test";

// A local endpoint starts functions at their first request, and its gateway is slow with a large script.
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
    ignoreHTTPSErrors: Boolean(process.env.CONSOLE_URL), // the certificates of local endpoints are self-signed
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
