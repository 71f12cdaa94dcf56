/** The roles of one person: given for a time, told by mail, taken away and put back; and what waits for a second one. */
import { expect, test } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolationsInBothThemes,
  mailAbout,
  signIn,
  title,
} from "./support";

test("a role is given for a time, told, taken away, and put back", async ({ page, browser }) => {
  test.setTimeout(90_000);
  const name = title("Desk cover");
  await signIn(page, "admin", "/settings/roles");
  await page.getByRole("button", { name: "New role" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByText(`The role ${name} is there.`).first()).toBeVisible();

  await page.goto("/settings/people");
  await page.getByLabel("Find by name, username or e-mail").fill("outsider");
  await page
    .getByRole("link", { name: /Oscar Silva/ })
    .first()
    .click();
  await page.getByRole("tab", { name: "Roles" }).click();
  await page.getByRole("combobox", { name: "Role" }).click();
  await page.getByRole("option", { name, exact: true }).click();
  const soon = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Until the end of").fill(soon);
  await page.getByLabel("Reason").fill("Covers the desk");
  await page.getByRole("button", { name: "Give the role" }).click();
  const row = page
    .getByRole("region", { name: "Roles they have" })
    .getByRole("listitem")
    .filter({ hasText: name });
  await expect(row).toContainText("given by");
  await expect(row).toContainText("Covers the desk");
  expect((await mailAbout(`You have the role ${name} until`)).text).toContain("Covers the desk");

  await row.getByRole("button", { name: "Take away" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take away" }).click();
  await expect(row).toHaveCount(0);
  await mailAbout(`You do not have the role ${name} any more`);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(row).toContainText("Covers the desk");
  await expect(row).toContainText("ends");

  // who only reads roles sees the same, and changes nothing
  const theirs = await as(browser, "auditor", page.url().replace(/^https?:\/\/[^/]+/, ""));
  await expect(theirs.getByRole("button", { name: "Give the role" })).toHaveCount(0);
});

test("the roles of a person are accessible, on a phone too", async ({ page }) => {
  test.setTimeout(60_000);
  await signIn(page, "admin", "/settings/people/3?tab=roles");
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/settings/people/3?tab=roles");
    await expect(page.getByRole("heading", { name: "Give a role" })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
  }
  await page.getByRole("button", { name: "Take away" }).first().click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
