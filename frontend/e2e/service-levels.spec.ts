/** Working calendars and service level policies, as an administrator sets them up. */
import { expect, test } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, title } from "./support";

const ICS = [
  "BEGIN:VCALENDAR",
  "VERSION:2.0",
  "PRODID:-//x//EN",
  "BEGIN:VEVENT",
  "UID:one",
  "SUMMARY:Founders' day",
  "DTSTART;VALUE=DATE:20200615",
  "RRULE:FREQ=YEARLY",
  "END:VEVENT",
  "END:VCALENDAR",
  "",
].join("\r\n");

test("a calendar is set up with a lunch gap and a file, and says what would be due", async ({ browser }) => {
  test.setTimeout(120_000);
  const page = await as(browser, "admin");
  const name = title("Oslo office");
  await page.goto("/settings/service-levels?tab=calendars");
  await page.getByRole("link", { name: "Add a calendar" }).click();
  await page.getByLabel("Name", { exact: false }).first().fill(name);
  const monday = page.getByRole("group", { name: "Monday" });
  await monday.getByLabel("Monday, hours 1: to").fill("12:00");
  await monday.getByRole("button", { name: "Add hours to Monday" }).press("Enter");
  await expect(monday.getByLabel("Monday, hours 2: from")).toHaveValue("13:00");
  await page.getByRole("button", { name: "Copy Monday's hours to Friday" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

  await page.getByLabel("Choose a file").setInputFiles({
    name: "holidays.ics",
    mimeType: "text/calendar",
    buffer: Buffer.from(ICS),
  });
  const preview = page.getByRole("region", { name: "What it would close" });
  await expect(preview.getByText("Founders' day").first()).toBeVisible();
  await preview.getByRole("button", { name: "Let it close these days" }).click();
  await expect(page.getByText(/Founders' day/).first()).toBeVisible();
  await expect(page.getByText(/From holidays.ics/)).toBeVisible();

  await page.getByRole("button", { name: "Work it out" }).click();
  await expect(page.getByText(/^Due /)).toBeVisible();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectNoViolations(page);
  }
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1280, height: 800 });

  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page).toHaveURL(/tab=calendars/);
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});

test("a policy is set up, ordered by keyboard and removed", async ({ browser }) => {
  test.setTimeout(120_000);
  const page = await as(browser, "admin");
  const name = title("Quick ones");
  await page.goto("/settings/service-levels");
  await expect(page.getByRole("link", { name: "Add a policy" })).toBeVisible();
  await expectNoViolations(page);
  await page.getByRole("link", { name: "Add a policy" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New policy" })).toBeVisible();
  await page.getByLabel("Name", { exact: false }).first().fill(name);
  await page.getByLabel("In use").click();
  await page.getByLabel("Resolution, Critical: amount").fill("2");
  await page.getByRole("button", { name: "Add something" }).click();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectNoViolations(page);
  }
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await page.goto("/settings/service-levels");
  const down = page.getByRole("button", { name: `Ask “${name}” later` });
  await down.press("Enter");
  await expect(
    page.getByRole("listitem").filter({ hasText: name }).getByText("2", { exact: true }),
  ).toBeVisible();
  await page.getByRole("link", { name }).click();
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page).toHaveURL(/service-levels$/);
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});
