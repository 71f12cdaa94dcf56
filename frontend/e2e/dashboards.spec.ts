/** Dashboards: every number leads to exactly the list it counts, every chart has its table, and a wall shows them large. */
import { expect, test } from "@playwright/test";
import { expectNoViolations, expectNoViolationsInBothThemes, signIn } from "./support";

test("a number leads to the list it counts, and a chart says itself as a table", async ({ page }) => {
  await signIn(page, "executive", "/reports");
  await expect(page.getByRole("heading", { level: 1, name: "Dashboards" })).toBeVisible();
  const tile = page.getByRole("link", { name: /^Open\s*\d+$/ });
  const count = Number(/\d+/.exec((await tile.textContent()) ?? "")?.[0]);
  expect(count).toBeGreaterThan(0);

  const backlog = page.getByRole("region", { name: "Open requests by age" }).first();
  const trend = page.getByRole("region", { name: "What comes and what is done" }).first();
  const high = async (card: typeof trend) => Math.round((await card.boundingBox())?.height ?? 0);
  const before = await high(trend);
  expect(await high(backlog)).toBe(before); // in one row
  await backlog.getByText("Show as a table").click();
  await expect(backlog.getByRole("table")).toBeVisible();
  expect(await high(backlog)).toBeGreaterThan(before);
  expect(await high(trend)).toBe(before); // only the card that was opened grows
  const download = page.waitForEvent("download");
  await backlog.getByRole("button", { name: /as a CSV file$/ }).click();
  expect((await download).suggestedFilename()).toBe("Open requests by age.csv");
  await backlog.getByText("Show as a table").click();
  await expect.poll(() => high(backlog)).toBe(before);

  const answer = page.waitForResponse((r) => /\/api\/v1\/tickets\?.*status=/.test(r.url()) && r.ok());
  await tile.click();
  await expect(page).toHaveURL(/\/tickets\?/);
  const first = (await (await answer).json()) as { items: unknown[]; next_cursor: string | null };
  const token = first.next_cursor;
  if (token === null) expect(first.items).toHaveLength(count);
  else expect(count).toBeGreaterThan(first.items.length);
});

test("a time leads to the requests it is of", async ({ page }) => {
  await signIn(page, "executive", "/reports?days=365");
  const tile = page.getByRole("link", { name: /^Half are resolved within/ });
  const of = Number(/of (\d+)/.exec((await tile.textContent()) ?? "")?.[1]);
  expect(of).toBeGreaterThan(0);
  const counted = page.waitForResponse((r) => r.url().includes("/api/v1/tickets/count") && r.ok());
  await tile.click();
  await expect(page).toHaveURL(/\/tickets\?.*completed_at/);
  expect(((await (await counted).json()) as { count: number }).count).toBe(of);
  const chips = page.getByRole("list", { name: "Active filters" });
  await expect(chips.getByRole("button", { name: /^Completed is on or after .*\d/ })).toBeVisible();
  await chips.getByRole("button", { name: /is not empty/ }).click();
  await expect(chips.getByRole("button", { name: /is not empty/ })).toHaveCount(0);
  await expect(chips.getByRole("button", { name: /^Completed is on or after/ })).toBeVisible();
});

test("one goes along a chart by keys", async ({ page }) => {
  await signIn(page, "agent", "/reports");
  const chart = page.getByRole("img", { name: /^Requests by status/ });
  await chart.focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByText(/^Draft, Requests: \d+$/)).toBeAttached();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/tickets\?.*status=SUBMITTED/);
});

test("a dashboard comes down as a PDF, and is sent by itself", async ({ page }) => {
  test.slow(); // it waits for the worker
  await signIn(page, "executive", "/reports?kind=executive&days=90");
  const coming = page.waitForEvent("download", { timeout: 60_000 });
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await page.getByRole("menuitem", { name: "PDF, with charts" }).click();
  expect((await coming).suggestedFilename()).toMatch(/^The whole company, last 90 days .*\.pdf$/);
  await page.getByRole("button", { name: "Export", exact: true }).click();
  await page.getByRole("menuitem", { name: "Send it by itself" }).click();
  const dialog = page.getByRole("dialog", { name: "Send it by itself" });
  const subject = `The company ${Date.now()}`;
  await dialog.getByLabel("Subject of the mail").fill(subject);
  await expectNoViolations(page);
  await dialog.getByRole("button", { name: "Send it by itself" }).click();
  await expect(dialog).toBeHidden();
  await page.goto("/reports/exports?tab=schedules");
  const row = page.getByRole("listitem").filter({ hasText: subject });
  await row.getByRole("link", { name: "The whole company, last 90 days" }).click();
  await expect(page).toHaveURL(/\/reports\?kind=executive&days=90/);
});

test("a wall shows one chart after another, and lets go", async ({ page }) => {
  await signIn(page, "executive", "/reports?wall=1");
  const wall = page.getByRole("dialog", { name: /for a wall$/ });
  await expect(wall.getByRole("heading", { level: 2 })).toHaveText("What comes and what is done");
  await wall.getByRole("button", { name: "Next chart" }).click();
  await expect(wall.getByRole("heading", { level: 2 })).toHaveText("Open requests by age");
  await page.keyboard.press("Escape");
  await expect(wall).toHaveCount(0);
});

test("nothing stands in anybody's way", async ({ page }) => {
  for (const username of ["manager", "executive"]) {
    await signIn(page, username, "/reports");
    await expect(page.getByRole("img", { name: /^What comes/ }).locator("svg")).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await expectNoViolationsInBothThemes(page);
    await page.context().clearCookies();
  }
});
