/** A report is taken away as files and sent by itself; each gets their own requests, and the mail has the file. */
import { expect, test } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { as, expectNoViolations, expectNoViolationsInBothThemes, mailAbout, signIn } from "./support";

test("a report comes down as a PDF, is sent by itself, and says who got what", async ({ page, browser }) => {
  test.slow(); // it waits for the worker, twice
  const name = `Exported ${Date.now()}`;
  await signIn(page, "executive", "/reports/custom/new");
  await expect(page.getByRole("region", { name: "Result" }).getByRole("table")).toBeVisible();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("With a person").click();
  await page.getByLabel("With a person").fill("Mike");
  await page.getByRole("option", { name: /^Mike Okafor/ }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/\/reports\/custom\/\d+$/);

  // now
  const coming = page.waitForEvent("download", { timeout: 60_000 });
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await page.getByRole("menuitem", { name: "PDF, with charts" }).click();
  const file = await coming;
  expect(file.suggestedFilename()).toMatch(new RegExp(`^${name} .*\\.pdf$`));
  expect((await readFile(await file.path())).subarray(0, 5).toString()).toBe("%PDF-");

  // by itself
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await page.getByRole("menuitem", { name: "Send it by itself" }).click();
  const dialog = page.getByRole("dialog", { name: "Send it by itself" });
  await dialog.getByLabel("Subject of the mail").fill(`${name} for you`);
  await dialog.getByLabel("Excel").check();
  await dialog.getByLabel("Thursday").check();
  await dialog.getByLabel("To", { exact: true }).click();
  await dialog.getByLabel("To", { exact: true }).fill("Mike");
  await page.getByRole("option", { name: /^Mike Okafor/ }).click();
  await expect(page.getByRole("option")).toHaveCount(0);
  await expectNoViolations(page);
  await dialog.getByRole("button", { name: "Send it by itself" }).click();
  await expect(dialog).toBeHidden();

  await page.goto("/reports/exports?tab=schedules");
  const row = page.getByRole("listitem").filter({ hasText: `${name} for you` });
  await expect(row).toContainText("Mon, Thu at 08:00");
  await expect(row).toContainText("Mike Okafor");
  await expectNoViolations(page);
  await row.getByRole("button", { name: /^What to do/ }).click();
  await page.getByRole("menuitem", { name: "Send it now" }).click();
  await expect(row).toContainText(/last .*: Made/, { timeout: 60_000 });
  await page.getByRole("tab", { name: "Done" }).click();
  const done = page.getByRole("listitem").filter({ hasText: name }).filter({ hasText: "By hand" });
  await expect(done).toContainText("2 of 2");
  await done.getByRole("button", { name }).first().click();
  await expect(done.getByRole("row").filter({ hasText: "Mike Okafor" })).toContainText("Got it");
  await expectNoViolations(page);

  // the other finds it in their mail, and here
  const mail = await mailAbout(`${name} for you`);
  expect(mail.text).toContain(`${name} `);
  const manager = await as(browser, "manager", "/reports/exports");
  const theirs = manager.getByRole("listitem").filter({ hasText: name });
  await expect(theirs.getByRole("button", { name: /Download .*\.xlsx/ })).toBeVisible();

  // it goes again
  await page.getByRole("tab", { name: "Schedules" }).click();
  await row.getByRole("button", { name: /^What to do/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
});

test("a report is sent to a team and a role: to whoever is in them", async ({ page }) => {
  test.slow(); // it waits for the worker
  const name = `For groups ${Date.now()}`;
  await signIn(page, "admin", "/reports/custom/new");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("IT Support", { exact: true }).check();
  await page.getByLabel("Executive", { exact: true }).check();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/\/reports\/custom\/\d+$/);
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await page.getByRole("menuitem", { name: "Send it by itself" }).click();
  const dialog = page.getByRole("dialog", { name: "Send it by itself" });
  const groups = dialog.getByRole("group", { name: "Teams and roles" });
  await groups.getByLabel("IT Support").check();
  await groups.getByLabel("Everybody with the role Executive").check();
  await expectNoViolations(page);
  await dialog.getByRole("button", { name: "Send it by itself" }).click();
  await expect(dialog).toBeHidden();
  await page.goto("/reports/exports?tab=schedules");
  const row = page.getByRole("listitem").filter({ hasText: name });
  await expect(row).toContainText("IT Support");
  await expect(row).toContainText("Executive");
  await row.getByRole("button", { name: /^What to do/ }).click();
  await page.getByRole("menuitem", { name: "Send it now" }).click();
  await expect(row).toContainText(/last .*: Made/, { timeout: 60_000 });
  await page.getByRole("tab", { name: "Done" }).click();
  const done = page.getByRole("listitem").filter({ hasText: name }).filter({ hasText: "By hand" });
  await done.getByRole("button", { name }).first().click();
  await expect(done.getByRole("row").filter({ hasText: "Got it" }).nth(2)).toBeVisible();
  await page.getByRole("tab", { name: "Schedules" }).click();
  await row.getByRole("button", { name: /^What to do/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(row).toHaveCount(0);
});

test("exports and schedules stand in nobody's way", async ({ page }) => {
  await signIn(page, "admin", "/reports/exports");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("tab", { name: "Schedules" }).click();
  await expect(page.getByLabel("Everybody’s schedules")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
