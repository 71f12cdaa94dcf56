import { defineConfig } from "@playwright/test";
import { executable, flags } from "./e2e/browser.ts";

const executablePath = await executable();

export default defineConfig({
  testDir: "e2e",
  // A machine that tests everything at once is slow now and then; what never comes fails all the same.
  timeout: process.env.CI ? 90_000 : 45_000,
  expect: { timeout: process.env.CI ? 15_000 : 5000 },
  workers: 2,
  retries: process.env.CI ? 1 : 0,
  reporter: [["list"], ["json", { outputFile: "test-results/journeys.json" }]],
  use: {
    baseURL: process.env.BASE_URL ?? "http://127.0.0.1:8000",
    launchOptions: { executablePath, args: flags },
    locale: "en-US",
    timezoneId: "Europe/Berlin",
    screenshot: "only-on-failure",
    // Journeys meet the server itself; what the worker keeps has one of its own (offline.spec.ts).
    serviceWorkers: "block",
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1440, height: 900 } }, testIgnore: /\/alone\.[^/]+$/ },
    {
      name: "phone",
      use: { viewport: { width: 320, height: 640 }, hasTouch: true },
      testMatch: /phone\.spec|a11y|attachments|approval-queue/,
    },
    // What others would notice, such as a killed process: started when nothing else runs.
    {
      name: "alone",
      use: { viewport: { width: 1440, height: 900 } },
      testMatch: /\/alone\.[^/]+$/,
      workers: 1,
    },
  ],
});
