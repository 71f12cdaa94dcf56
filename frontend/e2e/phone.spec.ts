/** The queue and the pages on the smallest phone. */
import { expect, test } from "@playwright/test";
import { as, askForHardware, expectNoSidewaysScroll, ownBrowser, signIn, title } from "./support";

test("approving on a phone: one card at a time, targets of 44 px, the next by itself", async ({
  browser,
  page,
}, info) => {
  test.skip(info.project.name !== "phone");
  const first = title("Phone one");
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, first, "120");
  await askForHardware(jane, title("Phone two"), "130");
  await signIn(page, "manager", `/approvals?ticket=${path.split("/").at(-1)}`);
  await expect(page.getByRole("heading", { level: 2, name: first })).toBeVisible();
  await expect(page.getByRole("article")).toHaveCount(1);
  for (const name of ["Approve", "Reject", "Ask back"]) {
    const box = await page.getByRole("button", { name, exact: true }).boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(43.9);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(640);
  }
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Approve", exact: true }).tap();
  await expect(page.getByText(`Approved: ${first}`).first()).toBeVisible();
  await expect(page.getByRole("heading", { level: 2, name: first })).toHaveCount(0);
  await expect(page.getByRole("article")).toHaveCount(1);
});

test("a workflow's picture is read and worked on with a finger", async ({ browser }, info) => {
  test.skip(info.project.name !== "phone");
  const page = await ownBrowser(browser, {
    viewport: { width: 320, height: 640 },
    hasTouch: true,
    isMobile: true,
  });
  await signIn(page, "admin", "/settings/workflows");
  await page.getByRole("link", { name: /Purchases by amount/ }).tap();
  await page.getByRole("tab", { name: "Canvas" }).tap();
  await page
    .getByRole("region", { name: "Canvas" })
    .getByRole("button", { name: /Manager/ })
    .first()
    .tap();
  const panel = page.getByRole("dialog", { name: "Manager" });
  await expect(panel.getByLabel("Name", { exact: true })).toBeVisible();
  await panel
    .getByRole("button", { name: /Manager/ })
    .last()
    .tap();
  for (const words of ["Move down", "Add a stage before it", "Duplicate", "Remove"])
    await expect(page.getByRole("menuitem", { name: words })).toBeVisible();
});

test("what has the focus is never behind the bars", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn(page, "employee", "/new/IT_HARDWARE");
  await page.getByLabel("Title").focus();
  for (let n = 0; n < 10; n++) {
    await page.keyboard.press("Tab");
    const hidden = await page.evaluate(() => {
      const focused = document.activeElement as HTMLElement;
      const { left, top, width, height } = focused.getBoundingClientRect();
      const there = document.elementFromPoint(left + width / 2, top + height / 2);
      return there && (focused.contains(there) || there.contains(focused)) ? "" : focused.outerHTML;
    });
    expect(hidden).toBe("");
  }
});

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
  test(`nothing is wider than a phone: ${path}`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await signIn(page, "manager", path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await page.waitForLoadState("load");
    await expectNoSidewaysScroll(page);
  });
}
