import { expect, test } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, mailAbout, title } from "./support";

test("a program reads with a token that only reads, until it is revoked", async ({ browser, request }) => {
  const page = await as(browser, "outsider", "/account/security");
  await page.getByRole("region", { name: "API tokens" }).getByRole("link", { name: "Look at them" }).click();
  await expect(page.getByRole("heading", { name: "API tokens", level: 1 })).toBeVisible();
  const name = title("Nightly report");
  await page.getByRole("button", { name: "Make a token" }).click();
  const form = page.getByRole("dialog", { name: "Make a token" });
  await expect(form.getByRole("switch", { name: "It only reads" })).toBeChecked();
  await form.getByRole("button", { name: "Make a token" }).click();
  await expect(form.getByText("Please say what it is for.")).toBeVisible();
  await form.getByLabel("What it is for").fill(name);
  await expectNoViolations(page);
  await form.getByRole("button", { name: "Make a token" }).click();
  const told = page.getByRole("dialog", { name });
  const token = (await told.locator("code").textContent()) ?? "";
  expect(token).toMatch(/^wp_pat_[0-9A-Za-z]{49}$/);
  await told.getByLabel("I have kept it").check();
  await told.getByRole("button", { name: "Done" }).click();
  await expect(page.locator("body")).not.toContainText(token);

  const headers = { authorization: `Bearer ${token}` };
  expect((await request.get("/api/v1/tickets", { headers })).status()).toBe(200);
  const refused = await request.post("/api/v1/tickets", { headers, data: {} });
  expect(refused.status()).toBe(403);
  expect(((await refused.json()) as { code: string }).code).toBe("reads_only");
  await page.reload();
  const line = page.getByRole("listitem").filter({ hasText: name });
  await expect(line).toContainText("last used");
  expect((await mailAbout(name)).subject).toContain("An API token was made");

  await page.getByRole("button", { name: `Revoke ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(line).toHaveCount(0);
  await expect.poll(async () => (await request.get("/api/v1/tickets", { headers })).status()).toBe(401);
  await page.close();
});

test("administrators see whose programs there are, and end them", async ({ browser }) => {
  const person = await as(browser, "hragent", "/account/tokens");
  const name = title("Import");
  await person.getByRole("button", { name: "Make a token" }).click();
  await person.getByLabel("What it is for").fill(name);
  await person.getByRole("dialog").getByRole("button", { name: "Make a token" }).click();
  await person.getByLabel("I have kept it").check();
  await person.getByRole("button", { name: "Done" }).click();
  await person.close();

  for (const colorScheme of ["light", "dark"] as const) {
    const admin = await as(browser, "admin", "/settings/api-tokens");
    await admin.emulateMedia({ colorScheme });
    await expect(admin.getByRole("listitem").filter({ hasText: name })).toBeVisible();
    await expectNoViolations(admin);
    await admin.setViewportSize({ width: 320, height: 700 });
    await expectNoSidewaysScroll(admin);
    if (colorScheme === "dark") {
      await admin.getByRole("button", { name: `Revoke ${name}` }).click();
      await admin.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
      await expect(admin.getByRole("listitem").filter({ hasText: name })).toHaveCount(0);
    }
    await admin.close();
  }
});
