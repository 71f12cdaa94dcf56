/** Reports people make: what is counted follows while one chooses, leads to its tickets, is kept and shared. */
import { expect, test } from "@playwright/test";
import { as, expectNoViolations, expectNoViolationsInBothThemes, signIn } from "./support";

test("one makes a report, keeps it, shares it, and goes to the tickets behind a number", async ({
  page,
  browser,
}) => {
  const name = `By status ${Date.now()}`;
  await signIn(page, "executive", "/reports/custom/new");
  const result = page.getByRole("region", { name: "Result" });
  await expect(result.getByRole("table")).toBeVisible();
  const waiting = "Waiting for approval in working time, half within";
  await page.getByRole("checkbox", { name: waiting }).check();
  await expect(result.getByRole("columnheader", { name: waiting })).toBeVisible();
  await expect(result.getByRole("cell", { name: / hr$/ }).first()).toBeVisible();
  await page.getByRole("checkbox", { name: waiting }).uncheck();
  await page.getByLabel("Columns").click();
  await page.getByRole("option", { name: "Priority", exact: true }).click();
  await expect(result.getByRole("columnheader", { name: "HIGH" })).toBeVisible();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("With a person").click();
  await page.getByLabel("With a person").fill("Mike");
  await page.getByRole("option", { name: /^Mike Okafor/ }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/\/reports\/custom\/\d+$/);
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expectNoViolations(page);
  const address = new URL(page.url()).pathname;
  const manager = await as(browser, "manager", address);
  await expect(manager.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(manager.getByRole("button", { name: "Save as my own" })).toBeVisible();
  await result.getByRole("link", { name: "CLOSED" }).click();
  await expect(page).toHaveURL(/\/tickets\?condition=/);
});

test("an administrator shares a report with a team and a role, who finds it so", async ({
  page,
  browser,
}) => {
  const name = `For teams and roles ${Date.now()}`;
  await signIn(page, "admin", "/reports/custom/new");
  await page.getByLabel("Name").fill(name);
  await page.getByRole("group", { name: "With teams" }).getByLabel("HR Services").check();
  await page
    .getByRole("group", { name: "With roles" })
    .getByLabel(/^Executive/)
    .check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/\/reports\/custom\/\d+$/);
  await page.reload();
  await expect(page.getByRole("group", { name: "With teams" }).getByLabel("HR Services")).toBeChecked();
  await expect(page.getByRole("group", { name: "With roles" }).getByLabel(/^Executive/)).toBeChecked();
  await expectNoViolations(page);
  for (const username of ["hragent", "executive"]) {
    const theirs = await as(browser, username, "/reports/custom");
    await expect(theirs.getByRole("link", { name })).toBeVisible();
  }
  const others = await as(browser, "agent", "/reports/custom");
  await expect(others.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(others.getByRole("link", { name })).toHaveCount(0);
});

test("the list of reports and the builder stand in nobody's way", async ({ page }) => {
  await signIn(page, "agent", "/reports/custom");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("link", { name: "New report" }).click();
  await expect(page.getByRole("table")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
