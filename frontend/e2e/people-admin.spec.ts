/** An administrator looks after people, departments and teams. */
import { expect, test } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolationsInBothThemes, ownBrowser, signIn } from "./support";

const unique = () => Date.now().toString(36);

test("somebody is added, sets a password by the link, is changed, and is signed out", async ({
  page,
  browser,
}) => {
  test.setTimeout(90_000);
  const name = `pat${unique()}`;
  await signIn(page, "admin", "/settings/people");
  await page.getByRole("button", { name: "New person" }).click();
  const dialog = page.getByRole("dialog", { name: "New person" });
  await dialog.getByLabel("First name").fill("Pat");
  await dialog.getByLabel("Last name").fill(name);
  await dialog.getByLabel("Username").fill(name);
  await dialog.getByLabel("E-mail").fill(`${name}@example.com`);
  await dialog.getByRole("button", { name: "New person" }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Pat ${name}` })).toBeVisible();
  await page.getByRole("button", { name: "Make a link to set a password" }).click();
  const link = await page.getByLabel("Link to set a password").inputValue();
  const theirs = await ownBrowser(browser);
  await theirs.goto(new URL(link).pathname + new URL(link).hash);
  await theirs.getByLabel("New password", { exact: true }).fill("correct horse battery staple 9");
  await theirs.getByLabel("New password", { exact: true }).press("Enter");
  await theirs.getByRole("button", { name: "Sign in", exact: true }).click();
  await theirs.getByLabel("Username or e-mail").fill(name);
  await theirs.getByLabel("Password", { exact: true }).fill("correct horse battery staple 9");
  await theirs.getByRole("button", { name: "Sign in", exact: true }).click();
  await theirs.waitForURL((url) => !/^\/(login|welcome)/.test(url.pathname));
  await page.getByRole("tab", { name: "Profile" }).click();
  await page.getByLabel("Job title").fill("Astronomer");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText(`Pat ${name} is saved`).first()).toBeVisible();
  await page.getByRole("tab", { name: "History" }).click();
  await expect(page.getByText("Job title: from nothing to Astronomer")).toBeVisible();
  await page.getByRole("tab", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await expect(page.getByText("They are signed in nowhere.")).toBeVisible();
  await theirs.goto("/account/sessions");
  await theirs.waitForURL(/\/login/);
});

test("departments stand below each other, are moved, put back, and closed", async ({ page }) => {
  test.setTimeout(60_000);
  const name = `Lab ${unique()}`;
  await signIn(page, "admin", "/settings/departments");
  await page.getByRole("button", { name: "New department" }).click();
  const dialog = page.getByRole("dialog", { name: "New department" });
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(name, { exact: true })).toBeVisible();
  await page.getByRole("button", { name: `What to do with ${name}` }).click();
  await page.getByRole("menuitem", { name: "Rename, move or give a head" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(`${name} B`);
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(`${name} B`, { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText(name, { exact: true })).toBeVisible();
  await page.getByRole("button", { name: `What to do with ${name}` }).click();
  await page.getByRole("menuitem", { name: "Close the department" }).click();
  await page.getByRole("button", { name: "Close", exact: true }).last().click();
  await expect(page.getByText(name, { exact: true })).toHaveCount(0);
});

test("every screen is accessible, on a phone too", async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, "admin", "/settings/people");
  for (const path of [
    "/settings/people",
    "/settings/people/3",
    "/settings/people/3?tab=security",
    "/settings/people/3?tab=mentions",
    "/settings/people/3?tab=history",
    "/settings/people/3?tab=privacy",
    "/settings/departments",
    "/settings/teams",
    "/settings/personal-data",
    "/account/data",
  ])
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
      await test.step(`${path} ${width}`, async () => {
        await expectNoViolationsInBothThemes(page);
        await expectNoSidewaysScroll(page);
      });
    }
});
