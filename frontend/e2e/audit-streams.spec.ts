/** Destinations of the trail: tried, added, seen to fail or work, switched and taken away. */
import { expect, test } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolations, signIn, title } from "./support";

test("the trail is sent on, and one sees how far", async ({ page }) => {
  const name = title("SIEM");
  await signIn(page, "admin", "/settings");
  await page.getByRole("link", { name: /Destinations of the audit trail/ }).click();
  await page.getByRole("button", { name: "Add a destination" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a destination" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByText("must not be empty").first()).toBeVisible();
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("Receiver", { exact: true }).fill("10.255.255.1");
  await dialog.getByRole("button", { name: "Send a test entry" }).click();
  await expect(dialog.getByRole("status")).toContainText("10.255.255.1 may not be called", {
    timeout: 30_000,
  });
  await expectNoViolations(page);
  await dialog.getByLabel("From where on").click();
  await page.getByRole("option", { name: "From the first row there is" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  const row = page.getByRole("listitem").filter({ hasText: name });
  // The worker says within seconds what is in the way, and how much waits.
  await expect(row.getByText("Does not take it")).toBeVisible({ timeout: 60_000 });
  await expect(row.getByText(/rows wait/)).toBeVisible();

  await page.getByRole("button", { name: `Edit ${name}` }).click();
  const again = page.getByRole("dialog", { name: `Edit ${name}` });
  await expect(again.getByLabel("From where on")).toContainText("Go on where it is");
  await again.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("switch", { name: `Send to ${name}` }).click();
  await expect(row.getByText("Off", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(row).toHaveCount(0);
});

test("an address inside this house is not called by a test entry", async ({ page }) => {
  await signIn(page, "admin", "/settings/audit-streams");
  await page.getByRole("button", { name: "Add a destination" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a destination" });
  await dialog.getByLabel("Name", { exact: true }).fill(title("Json"));
  await dialog.getByLabel("Kind", { exact: true }).click();
  await page.getByRole("option", { name: "JSON by HTTPS" }).click();
  await dialog.getByLabel("Address").fill("http://10.255.255.1:9/ingest");
  await dialog.getByLabel("Secret").fill("not-shown-again");
  await dialog.getByRole("button", { name: "Send a test entry" }).click();
  await expect(dialog.getByRole("status")).toContainText("may not be called", { timeout: 30_000 });
});

for (const scheme of ["light", "dark"] as const)
  for (const width of [320, 768, 1440])
    test(`the destinations, ${scheme}, ${width} px`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await signIn(page, "admin", "/settings/audit-streams");
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expectNoViolations(page);
      await expectNoSidewaysScroll(page);
      await page.getByRole("button", { name: "Add a destination" }).click();
      await page.getByText("Certificates", { exact: true }).click();
      await expectNoViolations(page);
      await expectNoSidewaysScroll(page);
    });

test("who reads the trail does not set up where it goes", async ({ page }) => {
  await signIn(page, "auditor", "/settings/audit-streams");
  await expect(page.getByRole("button", { name: "Add a destination" })).toHaveCount(0);
});

test("how long entries are kept is chosen, and shorter is asked twice", async ({ page }) => {
  await signIn(page, "admin", "/settings/audit-retention");
  const sign = page.getByLabel("Sign-ins and refusals");
  await expect(sign).toBeVisible();
  await expectNoViolations(page);
  await expectNoSidewaysScroll(page);
  await sign.click();
  await page.getByRole("option", { name: "30 years" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep for less long" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.reload();
  await expect(sign).toContainText("30 years");
  await sign.click();
  await page.getByRole("option", { name: "For ever" }).click();
  const kept = page.waitForResponse(
    (answer) => answer.url().endsWith("/audit/retention") && answer.request().method() === "PUT",
  );
  await page.getByRole("button", { name: "Save" }).click();
  expect((await kept).ok()).toBe(true);
  await page.reload();
  await expect(sign).toContainText("For ever");
});
