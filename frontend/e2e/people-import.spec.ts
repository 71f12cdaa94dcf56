/** People come from a table: its columns are found, what each row would do is shown, a job does it, and again it is nothing. */
import { expect, test, type Page } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolationsInBothThemes, signIn } from "./support";

const table = (mark: string) =>
  [
    "Username;E-mail;First name;Last name;Job title;Department;Manager;Roles;Active",
    `${mark}a;${mark}a@example.com;Ada;${mark};Painter;Facilities;${mark}b;Agent;Yes`,
    `${mark}b;${mark}b@example.com;Bo;${mark};=1+1;Facilities;head;;Yes`,
    `${mark}c;no address;Cy;${mark};;Nowhere;;;`,
    "employee;;;;;;;;",
  ].join("\r\n");

async function bring(page: Page, mark: string): Promise<void> {
  await page.goto("/settings/people/import");
  await page
    .getByLabel("Choose a file of people")
    .last()
    .setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(table(mark)) });
  await expect(page.getByRole("heading", { name: "Which column is which?" })).toBeVisible();
  await page.getByRole("button", { name: "See what it would do" }).click();
  await expect(page.getByRole("heading", { name: "What each row would do" })).toBeVisible();
}

test("a table of people is looked at, done, and the second time changes nothing", async ({ page }) => {
  test.setTimeout(90_000);
  const mark = `imp${Date.now().toString(36)}`;
  await signIn(page, "admin", "/settings/people");
  await page.getByRole("link", { name: "Import", exact: true }).click();
  await bring(page, mark);
  await expect(page.getByText("2 people are new")).toHaveCount(2);
  await expect(page.getByText("1 row is refused")).toBeVisible();
  await expect(page.getByText(`Bo ${mark}`).first()).toBeVisible();
  await page.getByRole("combobox", { name: "Show rows" }).click();
  await page.getByRole("option", { name: "1 row is refused" }).click();
  await expect(page.getByText("E-mail: is no e-mail address")).toBeVisible();
  await page.getByRole("button", { name: "Do it for 2 rows" }).click();
  await expect(page.getByText("2 rows were done.").last()).toBeVisible({ timeout: 20_000 });
  await page.getByRole("combobox", { name: "Show rows" }).click();
  await page.getByRole("option", { name: "Done (2)" }).click();
  await page.getByRole("link", { name: `Ada ${mark}` }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Ada ${mark}` })).toBeVisible();
  await expect(page.getByText("Facilities").first()).toBeVisible();
  await bring(page, mark);
  await expect(page.getByText("3 rows say what is so already")).toHaveCount(1);
  await expect(page.getByRole("button", { name: "Do nothing" })).toBeDisabled();
});

test("each step is accessible, on a phone too", async ({ page }) => {
  test.setTimeout(90_000);
  await signIn(page, "admin", "/settings/people/import");
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto("/settings/people/import");
    await expect(page.getByRole("heading", { name: "Which file?" })).toBeVisible();
    await expectNoViolationsInBothThemes(page);
    await bring(page, `axe${width}`);
    await expect(page.getByText(/Ada axe/).first()).toBeVisible();
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
    await page.getByRole("button", { name: "Change the columns" }).click();
    await expect(page.getByRole("heading", { name: "Which column is which?" })).toBeVisible();
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
  }
});
