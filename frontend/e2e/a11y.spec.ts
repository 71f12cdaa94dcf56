/** WCAG 2.2 AA as far as a machine can tell, on every page, in light and dark. */
import { expect, test } from "@playwright/test";
import { expectNoViolations, expectNoViolationsInBothThemes, signIn } from "./support";

for (const colorScheme of ["light", "dark"] as const)
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the door", async ({ page }) => {
      await page.goto("/login");
      await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
      await expectNoViolations(page);
    });
  });

test("every page", async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page, "manager");
  for (const path of [
    "/",
    "/tickets",
    "/tickets/1",
    "/approvals",
    "/new",
    "/new/IT_HARDWARE",
    "/account/sessions",
    "/account/security",
  ]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await test.step(path, () => expectNoViolationsInBothThemes(page));
  }
});

test("what opens over a page", async ({ page }) => {
  await signIn(page, "manager", "/approvals");
  await page.getByRole("button", { name: "Reject" }).click();
  await expect(page.getByRole("form", { name: "Reject" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Notifications/ }).click();
  await expect(page.getByRole("dialog", { name: "Notifications" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
