/** Several people are picked, what would happen is looked at, and a job does it; with what it refuses named. */
import { expect, test } from "@playwright/test";
import {
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  signIn,
} from "./support";

test("people are moved and deactivated together, and one is refused by name", async ({ page }) => {
  test.setTimeout(90_000);
  const mark = `bulk${Date.now().toString(36)}`;
  await signIn(page, "admin", "/settings/people");
  for (const n of [1, 2]) {
    await page.getByRole("button", { name: "New person" }).click();
    const dialog = page.getByRole("dialog", { name: "New person" });
    await dialog.getByLabel("First name").fill(`Number${n}`);
    await dialog.getByLabel("Last name").fill(mark);
    await dialog.getByLabel("Username").fill(`${mark}${n}`);
    await dialog.getByLabel("E-mail").fill(`${mark}${n}@example.com`);
    await dialog.getByRole("button", { name: "New person" }).click();
    await expect(page.getByRole("heading", { level: 1, name: mark })).toBeVisible();
    await page.goto("/settings/people");
  }
  const search = page.getByLabel("Find by name, username or e-mail");
  await search.fill(mark);
  await page.getByRole("checkbox", { name: "Pick everybody shown (2)" }).check();
  await page.getByRole("button", { name: "Change them" }).click();
  const dialog = page.getByRole("dialog", { name: "Change them" });
  await dialog.getByRole("combobox", { name: "Department" }).click();
  await page.getByRole("option", { name: "Facilities" }).click();
  await dialog.getByRole("button", { name: "See what would happen" }).click();
  await expect(dialog.getByText("2 people would be changed.")).toBeVisible();
  await expectNoViolations(page);
  await dialog.getByRole("button", { name: "Do it" }).click();
  await expect(page.getByText("2 people are done.").first()).toBeVisible();
  await expect(page.getByRole("link", { name: /Number1/ })).toContainText("Facilities");
  // taken back, for who is still as the job left them
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("2 people are as before.").first()).toBeVisible();
  await expect(page.getByRole("link", { name: /Number1/ })).not.toContainText("Facilities");
  await expect(page.getByRole("button", { name: "Undo" })).toHaveCount(0);
  await page.getByRole("button", { name: "Close" }).first().click();

  // with oneself among them: those two leave, and why the third one does not is said
  await page.getByRole("checkbox", { name: "Pick everybody shown (2)" }).check();
  await search.fill("admin@");
  await page.getByRole("checkbox", { name: /^Pick A/ }).check();
  await page.getByRole("button", { name: "Change them" }).click();
  await dialog.getByRole("combobox", { name: "What is to be done" }).click();
  await page.getByRole("option", { name: "Deactivate" }).click();
  await dialog.getByRole("button", { name: "See what would happen" }).click();
  await expect(dialog.getByText("2 people would be changed.")).toBeVisible();
  await expect(dialog.getByRole("heading", { name: "1 cannot be changed" })).toBeVisible();
  await dialog.getByRole("button", { name: "Do it" }).click();
  await expect(page.getByText(/2 people are done. 1 could not be changed/).first()).toBeVisible();
  await search.fill(mark);
  await expect(page.getByText("Left", { exact: true })).toHaveCount(2);
});

test("picking people is accessible, on a phone too", async ({ page }) => {
  test.setTimeout(60_000);
  await signIn(page, "admin", "/settings/people");
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/settings/people");
    await page
      .getByRole("checkbox", { name: /^Pick (?!everybody)/ })
      .first()
      .check();
    await expect(page.getByText("1 person picked")).toBeVisible();
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
    await page.getByRole("button", { name: "Change them" }).click();
    await page.getByRole("combobox", { name: "What is to be done" }).click();
    await page.getByRole("option", { name: "Give a role" }).click();
    await expectNoViolationsInBothThemes(page);
  }
});
