/** Roles: looked at side by side, copied, changed after a look at what differs, given for a time; and who sees a ticket, and why. */
import { expect, test } from "@playwright/test";
import { expectNoViolationsInBothThemes, signIn, title } from "./support";

test("a role is copied, changed after a look, given for a time and removed", async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page, "admin", "/settings/roles");
  const grid = page.getByRole("grid", { name: "Roles and permissions" });
  await expect(grid).toBeVisible();
  // the keyboard walks the grid
  await grid.getByRole("button").first().focus();
  await page.keyboard.press("ArrowRight");
  await expect(grid.getByRole("button", { name: /Agent, Enter absences/ })).toBeFocused();

  const name = title("Facility lead");
  await page.getByRole("button", { name: "New role" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("dialog").getByRole("button", { name: "Make it" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

  await page.goto("/settings/roles");
  await page.getByLabel("Find a permission").fill("see tickets");
  await grid.getByRole("button", { name: new RegExp(`${name}, See tickets: Not granted`) }).click();
  await page.getByRole("radio", { name: /Departments they head/ }).check();
  await page.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("1 role changed, not saved").first()).toBeVisible();
  // whoever goes is asked first
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Stay" }).click();
  await page.getByRole("button", { name: "Look over and save" }).click();
  await expect(page.getByRole("dialog")).toContainText("Departments they head");
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("1 role changed, not saved")).toHaveCount(0);

  await page.getByRole("link", { name }).click();
  await page.getByLabel("Give it to").click();
  await page.getByRole("option").first().click();
  const soon = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Until the end of").fill(soon);
  await page.getByRole("button", { name: "Give the role" }).click();
  await expect(page.getByText(/^ends /)).toBeVisible();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page).toHaveURL(/\/settings\/roles$/);
});

test("why somebody sees a ticket is told in words", async ({ page }) => {
  await signIn(page, "auditor", "/tickets/1");
  await page.getByRole("link", { name: "Who sees this, and why?" }).first().click();
  await page.getByLabel("Person").click();
  await page.getByLabel("Person").fill("Aiko");
  await page.getByRole("option").first().click();
  await expect(page.getByRole("heading", { name: /sees? the ticket|does not see the ticket/ })).toBeVisible();
  await expect(page).toHaveURL(/ticket=1&user=\d+|user=\d+&ticket=1/);
});

test("the screens of roles", async ({ page }) => {
  test.setTimeout(90_000);
  await signIn(page, "admin");
  for (const path of ["/settings/roles", "/settings/roles/1", "/settings/access?ticket=1&user=2"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await test.step(path, () => expectNoViolationsInBothThemes(page));
  }
  await page.setViewportSize({ width: 320, height: 800 });
  await page.goto("/settings/roles");
  await page.getByRole("button", { name: /^See tickets/ }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
