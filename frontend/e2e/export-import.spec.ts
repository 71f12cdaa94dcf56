/** Lists taken away as files, and tables that become tickets: columns, a look first, stopping, mending, bringing again. */
import { readFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolationsInBothThemes, signIn, title } from "./support";

const file = (name: string, lines: string[]) => ({
  name,
  mimeType: "text/csv",
  buffer: Buffer.from(lines.join("\r\n")),
});

async function bring(page: Page, name: string, lines: string[]): Promise<void> {
  await page.getByLabel("Choose a file").last().setInputFiles(file(name, lines));
  await page.waitForURL(/\/settings\/import\/\d+$/);
}

async function choose(page: Page, what: string, option: string): Promise<void> {
  await page.getByRole("combobox", { name: what }).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

test("the list as CSV and for Excel, as it is narrowed", async ({ page }) => {
  await signIn(page, "agent", "/tickets?status=CLOSED");
  await page.getByRole("button", { name: "Export" }).click();
  const [csv] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "As CSV" }).click(),
  ]);
  expect(csv.suggestedFilename()).toMatch(/^tickets-\d{4}-\d\d-\d\d\.csv$/);
  const lines = (await readFile(await csv.path(), "utf8")).split("\r\n").filter(Boolean);
  expect(lines[0]).toContain("Number,Title,Type,Status");
  expect(lines.slice(1).every((line) => line.includes("Closed"))).toBe(true);
  await expect(page.getByText(`${lines.length - 1} tickets exported`, { exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Export" }).press("Enter");
  const [xlsx] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: "For Excel" }).press("Enter"),
  ]);
  expect((await readFile(await xlsx.path())).subarray(0, 2).toString()).toBe("PK");
});

test("a table becomes tickets, and its wrong rows are mended", async ({ page }) => {
  test.setTimeout(90_000);
  const what = title("Imported");
  await signIn(page, "admin", "/settings");
  await page.getByRole("link", { name: /Import of tickets/ }).click();
  await bring(page, "old desk.csv", [
    "Reference;Subject;Urgency;E-mail;Status",
    `${what}-1;${what} one;High;employee@example.com;Submitted`,
    `${what}-2;"${what}; two";;employee;Draft`,
    `${what}-3;${what} three;asap;nobody@example.com;Draft`,
  ]);
  await expect(page.getByRole("heading", { name: "Which column is what?" })).toBeVisible();
  await expect(page.getByText(/3 rows, UTF-8, separated by semicolons/)).toBeVisible();
  await choose(page, "Type of request", "Facility request");
  await expect(page.getByRole("combobox", { name: "Column for Title" })).toContainText("Subject");
  await expect(page.getByRole("combobox", { name: "Column for Priority" })).toContainText("Urgency");
  await expect(page.getByRole("combobox", { name: /^Column for Requester/ })).toContainText("E-mail");
  await expect(page.getByRole("combobox", { name: /^Column for Key/ })).toContainText("Reference");
  await page.getByRole("button", { name: "Check the rows" }).click();

  await expect(page.locator("main").getByText("2 rows can become tickets")).toBeVisible({ timeout: 20_000 });
  await expect(page.locator("main").getByText("1 row is wrong and stays out")).toBeVisible();
  await expect(page.getByText("Urgency: must be Low, Medium, High or Critical")).toBeVisible();
  await expect(page.getByText("E-mail: is nobody's e-mail address or username here")).toBeVisible();
  const [mend] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download the wrong rows" }).click(),
  ]);
  expect(mend.suggestedFilename()).toBe("old desk-to-mend.csv");
  const rows = await readFile(await mend.path(), "utf8");
  expect(rows).toContain("What is wrong");
  await page.getByRole("button", { name: "Make 2 tickets" }).click();
  await expect(page.locator("main").getByText("2 tickets made")).toBeVisible({ timeout: 20_000 });
  await page.getByRole("link", { name: /^FAC-/ }).first().click();
  await expect(page.getByRole("heading", { level: 1, name: `${what} one` })).toBeVisible();

  await page.goto("/settings/import");
  await page
    .getByLabel("Choose a file")
    .last()
    .setInputFiles({
      name: "mended.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(
        rows.replace("asap", "Low").replace("nobody@example.com", "employee") +
          `${what}-1,${what} one,High,employee,Draft,\r\n`,
      ),
    });
  await page.waitForURL(/\/settings\/import\/\d+$/);
  await choose(page, "Type of request", "Facility request");
  await page.getByRole("button", { name: "Check the rows" }).click();
  await expect(page.locator("main").getByText("1 row can become a ticket")).toBeVisible({ timeout: 20_000 });
  await expect(page.locator("main").getByText("1 was imported before and stays as it is")).toBeVisible();
});

test("only for those who may", async ({ page }) => {
  await signIn(page, "agent", "/settings/import");
  await expect(page.getByRole("heading", { name: "No access" })).toBeVisible();
});

test("every step can be read by all", async ({ page }) => {
  test.setTimeout(90_000);
  await signIn(page, "admin", "/settings/import");
  await expect(page.getByRole("button", { name: "Choose a file" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await bring(page, "steps.csv", ["Title,Due", "One,2030-01-15", "Two,soon"]);
  await choose(page, "Type of request", "IT hardware");
  await expect(page.getByRole("combobox", { name: "Column for Title" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  for (const width of [320, 768]) {
    await page.setViewportSize({ width, height: 800 });
    await expectNoSidewaysScroll(page);
    await expectNoViolationsInBothThemes(page);
  }
  await page.getByRole("button", { name: "Check the rows" }).click();
  await expect(page.locator("main").getByText("1 row can become a ticket")).toBeVisible({
    timeout: 20_000,
  });
  await expect(page.getByRole("heading", { name: "What would become of the rows" })).toBeFocused();
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("button", { name: "Make 1 ticket" }).click();
  await expect(page.locator("main").getByText("1 ticket made")).toBeVisible({ timeout: 20_000 });
  await page.mouse.move(0, 0);
  await expectNoViolationsInBothThemes(page);
});
