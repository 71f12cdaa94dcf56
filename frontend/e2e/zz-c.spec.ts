import { test } from "@playwright/test";
import { signIn } from "./support";
test("shots", async ({ page }) => {
  test.setTimeout(120000);
  page.on("console", (m) => { if (["error","warning"].includes(m.type())) console.log(m.text()); });
  await signIn(page, "executive", "/reports/custom/new");
  await page.waitForSelector("svg path");
  await page.getByLabel("Columns").click();
  await page.getByRole("option", { name: "Priority", exact: true }).click();
  await page.waitForTimeout(2000);
  for (const w of [320, 1440]) { await page.setViewportSize({ width: w, height: 900 }); await page.waitForTimeout(800); await page.screenshot({ path: `/tmp/cshot-${w}.png`, fullPage: true }); }
  await page.goto("/reports"); await page.waitForSelector("svg path"); await page.waitForTimeout(1000);
  await page.screenshot({ path: `/tmp/cshot-dash.png`, fullPage: true });
});
