/** A policy's newest version for requests that run: looked at, then applied, on record. */
import { expect, test, type Page } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, title } from "./support";

const panelOf = (page: Page) => page.getByRole("region", { name: "Requests that run already" });

async function pick(page: Page, box: string, option: string): Promise<void> {
  await page.getByRole("combobox", { name: box, exact: true }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

async function everywhere(page: Page): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectNoViolations(page);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1280, height: 800 });
}

test("a new version is looked at and applied to running requests", async ({ browser }) => {
  test.setTimeout(180_000);
  // A policy of this journey's own: what carries its words in the title goes by it.
  const words = title("Lift repair");
  const admin = await as(browser, "admin", "/settings/service-levels/policies/new");
  await admin.getByLabel("Name", { exact: false }).first().fill(words);
  await admin.getByRole("button", { name: "Add a condition" }).click();
  await pick(admin, "Field", "Title");
  await pick(admin, "Comparison", "contains");
  await admin.getByLabel("Value for Title").fill(words);
  await admin.getByLabel("Resolution, Medium: amount").fill("4");
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: words })).toBeVisible();

  const employee = await as(browser, "employee", "/new/IT_SUPPORT");
  await employee.getByLabel("Title").fill(words);
  await employee
    .getByRole("button", { name: /^(Submit|Send)/ })
    .first()
    .click();
  await expect(employee.getByRole("heading", { level: 1, name: words })).toBeVisible();
  const level = employee.getByRole("region", { name: "Service level" });
  const due = await level
    .getByText(/^Due in .*/)
    .first()
    .textContent();

  const panel = panelOf(admin);
  await panel.getByRole("button", { name: "See what that would do" }).click();
  await expect(panel.getByText("Nothing would change", { exact: false })).toBeVisible();

  await admin.getByLabel("Resolution, Medium: amount").fill("40");
  // Before it is saved: what it would have been for the requests of late.
  const tried = admin.getByRole("region", { name: "Try on the last requests" });
  await tried.getByRole("button", { name: "Try on the last 500" }).click();
  const row = tried.getByRole("rowgroup").filter({ hasText: words });
  await expect(row.getByRole("link", { name: /-\d+/ })).toBeVisible();
  await expect(row.getByRole("cell", { name: "Resolution", exact: true })).toBeVisible();
  await everywhere(admin);
  await admin.getByLabel("Resolution, Medium: amount").fill("0");
  await expect(tried.getByText("This is of before your last changes", { exact: false })).toBeVisible();
  await tried.getByRole("button", { name: "Try once more" }).click();
  await expect(admin.getByRole("alert").filter({ hasText: "Please mend this" })).toBeFocused();
  await admin.getByLabel("Resolution, Medium: amount").fill("40");
  await expect(panel.getByText("Save or discard your changes first.")).toBeVisible();
  await admin.getByRole("button", { name: "Save" }).click();
  await expect(panel.getByText("Version 2 can be applied", { exact: false })).toBeVisible();
  const versions = admin.getByRole("region", { name: "Versions" });
  await versions.getByRole("button", { name: "What changed in version 2" }).click();
  await expect(versions.getByText("4 h working time", { exact: true })).toBeVisible();
  await expect(versions.getByText("40 h working time", { exact: true })).toBeVisible();
  await versions.getByRole("button", { name: "Apply to running requests" }).click();
  const would = panel.getByRole("group", { name: "What it would do" });
  await expect(would.getByText("One request would go by the new version", { exact: false })).toBeVisible();
  await expect(would.getByText("One would be due later")).toBeVisible();
  await would.getByText("One example").click();
  await expect(would.getByRole("link", { name: /-\d+/ })).toBeVisible();
  await everywhere(admin);

  await panel.getByRole("button", { name: "Apply version 2 to them" }).click();
  const sure = admin.getByRole("dialog");
  await expectNoViolations(admin);
  await sure.getByRole("button", { name: "Apply it" }).click();
  const past = panel.getByRole("listitem").filter({ hasText: "Version 2" });
  await expect(past.getByText("applied, one request looked at", { exact: false })).toBeVisible({
    timeout: 20_000,
  });
  await expect(past.getByText("one due later", { exact: false })).toBeVisible();
  await everywhere(admin);

  await employee.reload();
  await expect(level.getByText(/^Due in .*/).first()).not.toHaveText(due ?? "");

  await panel.getByRole("button", { name: "See what that would do" }).click();
  await expect(panel.getByText("Nothing would change", { exact: false })).toBeVisible();
  await admin.getByRole("button", { name: "Remove", exact: true }).click();
  await admin.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(admin).toHaveURL(/service-levels$/);
});
