/** The trail: looked through, narrowed, checked from end to end, and the evidence of a request taken away. */
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { as, askForHardware, expectNoSidewaysScroll, expectNoViolations, signIn, title } from "./support";

test("an auditor sees who did what, has it checked, and takes the evidence away", async ({
  page,
  browser,
}) => {
  test.slow(); // sealing has its own rhythm
  const what = title("evidence");
  const asker = await as(browser, "employee");
  await askForHardware(asker, what, "700.00");
  await signIn(page, "auditor", "/audit?family=ticket");
  const entry = page.getByRole("listitem").filter({ hasText: "Ticket submitted" }).first();
  await expect(entry).toContainText("Jane Doe");
  await entry.getByText("Details").click();
  await expect(entry.getByText("DRAFT")).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "The trail is whole" })).toBeVisible();
  await page.getByRole("button", { name: "Check everything now" }).click();
  await expect(page.getByText(/Checked from end to end/)).toBeVisible({ timeout: 60_000 });
  const download = page.waitForEvent("download", { timeout: 90_000 });
  await entry.getByRole("button", { name: "Take the evidence" }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^evidence-\d+\.zip$/);
  expect(
    readFileSync(await file.path())
      .subarray(0, 2)
      .toString(),
  ).toBe("PK");
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(page).toHaveURL(/\/audit$/);
});

for (const scheme of ["light", "dark"] as const)
  for (const width of [320, 1440])
    test(`the trail, ${scheme}, ${width} px`, async ({ page }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await signIn(page, "auditor", "/audit");
      await page.getByText("Details").first().click();
      await expectNoViolations(page);
      await expectNoSidewaysScroll(page);
    });

test("who may not read it does not find it", async ({ page }) => {
  await signIn(page, "employee", "/audit");
  await expect(page.getByRole("search", { name: "Narrow the trail" })).toHaveCount(0);
});

test("words find an entry, and what was found is taken away", async ({ page, browser }) => {
  const what = title("Seldom");
  const asker = await as(browser, "employee");
  await askForHardware(asker, what, "700.00");
  await signIn(page, "auditor", "/audit");
  await page.getByLabel("Words").fill(what.toUpperCase());
  await expect(page).toHaveURL(/q=SELDOM/);
  const entry = page.getByRole("listitem").filter({ hasText: "Ticket submitted" });
  await expect(entry).toHaveCount(1);
  await expect(page.getByText(/entries fit$/)).toBeVisible();
  await expectNoViolations(page);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Take away" }).click();
  await page.getByRole("menuitem", { name: "As JSON, a line each" }).click();
  const lines = readFileSync(await (await download).path(), "utf8")
    .trim()
    .split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { action: string }).action)).toContain("ticket.submitted");
  await page.getByLabel("Words").fill("no entry says this");
  await expect(page.getByText("Nothing fits these filters")).toBeVisible();
});
