/** A program's own account: made, its client's secret shown once, used, and revoked. */
import { expect, test } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  title,
} from "./support";

test("a program gets in by a client of its own account until it is revoked", async ({ browser, request }) => {
  test.setTimeout(90_000);
  const page = await as(browser, "admin", "/settings/service-accounts");
  const name = title("Nightly sync");
  const username = `svc-${Date.now().toString(36)}`;
  await page.getByRole("button", { name: "Add a service account" }).first().click();
  const form = page.getByRole("dialog", { name: "Add a service account" });
  await form.getByRole("button", { name: "Add a service account" }).click();
  await expect(form.getByText("Please say what it is called.")).toBeVisible();
  await expectNoViolations(page);
  await form.getByLabel("Name", { exact: true }).fill(name);
  await form.getByLabel("Username").fill(username);
  await form.getByLabel("What it is for").fill("Reads the night's requests");
  await form.getByRole("button", { name: "Add a service account" }).click();
  const line = page.getByRole("listitem").filter({ hasText: name }).first();
  await expect(line).toContainText("Ada Brandt answers for it");
  await expect(line).toContainText("Employee");

  await line.getByRole("button", { name: "Add a client" }).click();
  const adding = page.getByRole("dialog", { name: "Add a client" });
  await adding.getByLabel("What it is for").fill("Sync");
  await adding.getByRole("checkbox", { name: "See requests" }).check();
  await adding.getByRole("button", { name: "Add a client" }).click();
  const once = page.getByRole("dialog").filter({ hasText: "Copy it now" });
  const secret = ((await once.locator("code").last().textContent()) ?? "").trim();
  expect(secret.length).toBeGreaterThan(30);
  await expectNoViolations(page);
  await once.getByLabel("I have kept it").check();
  await once.getByRole("button", { name: "Done" }).click();
  await expect(page.locator("body")).not.toContainText(secret);
  const client = (await line.locator("code").nth(1).textContent()) ?? "";

  // it is traded for access of some minutes, and that reads
  const trade = () =>
    request.post("/api/v1/oauth/token", {
      form: { grant_type: "client_credentials", client_id: client.trim(), client_secret: secret },
    });
  const traded = await trade();
  expect(traded.status()).toBe(200);
  const { access_token } = (await traded.json()) as { access_token: string };
  const headers = { authorization: `Bearer ${access_token}` };
  expect((await request.get("/api/v1/tickets", { headers })).status()).toBe(200);
  await page.reload();
  await expect(line).toContainText("last used");

  await line.getByRole("button", { name: "Revoke Sync" }).click();
  await expect(line.getByText(client.trim())).toHaveCount(0);
  await expect.poll(async () => (await trade()).status()).toBe(401);
  await expect.poll(async () => (await request.get("/api/v1/tickets", { headers })).status()).toBe(401);
});

test("service accounts are accessible, on a phone too", async ({ browser }) => {
  test.setTimeout(60_000);
  const page = await as(browser, "admin", "/settings/service-accounts");
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/settings/service-accounts");
    await expect(page.getByRole("heading", { level: 1, name: "Service accounts" })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
  }
});
