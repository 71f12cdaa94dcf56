/** Mailboxes: added, tried, switched and taken away; what came in is looked through. */
import { expect, test } from "@playwright/test";
import {
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  signIn,
  title,
} from "./support";

const PAGES = ["/settings/mailboxes", "/settings/quarantine", "/settings/quarantine?outcome=ANY"];

test("a mailbox is tried before it is kept, and taken away again", async ({ page }) => {
  const name = title("Desk");
  await signIn(page, "admin", "/settings/mailboxes");
  await page.getByRole("button", { name: "Add a mailbox" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a mailbox" });
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByText("must not be empty").first()).toBeVisible();
  await dialog.getByLabel("Name", { exact: false }).first().fill(name);
  await dialog.getByLabel("Address").fill(`${name.replaceAll(" ", ".").toLowerCase()}@example.com`);
  await dialog.getByLabel("Server", { exact: true }).fill("10.255.255.1");
  await dialog.getByLabel("Account").fill("desk");
  await dialog.getByLabel("Password").fill("not-shown-again");
  await dialog.getByRole("button", { name: "Try it" }).click();
  const tried = dialog.getByRole("region", { name: "What the try found" });
  await expect(tried.getByText("10.255.255.1 lies inside this network")).toBeVisible({ timeout: 30_000 });
  await expect(tried.getByRole("listitem").first()).toContainText("Server reached");
  await expect(tried.getByRole("listitem").first()).toContainText("no");
  await expectNoViolations(page);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  const row = page.getByRole("listitem").filter({ hasText: name });
  await expect(row.getByText("Off", { exact: true })).toBeVisible();

  await page.getByRole("button", { name: `Edit ${name}` }).click();
  const again = page.getByRole("dialog", { name: `Edit ${name}` });
  await expect(again.getByLabel("Password")).toHaveValue("");
  await expect(again.getByText("Left empty, the one there is stays.")).toBeVisible();
  await again.getByRole("button", { name: "Cancel" }).click();

  // Switched on, the process that reads mailboxes says within seconds what is in the way.
  await page.getByRole("switch", { name: `Read ${name}` }).click();
  await expect(row.getByText("Cannot be read")).toBeVisible({ timeout: 45_000 });
  await expect(row.getByText("10.255.255.1 lies inside this network")).toBeVisible();

  await page.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(row).toHaveCount(0);
});

test("what came in is looked through by a filter that stands in the address", async ({ page }) => {
  await signIn(page, "admin", "/settings/quarantine");
  await page.getByLabel("What became of it").click();
  await page.getByRole("option", { name: "Automatic reply" }).click();
  await expect(page).toHaveURL(/outcome=AUTO_REPLY/);
  await page.getByLabel("Words or sender").fill("nobody-wrote-this");
  await expect(page).toHaveURL(/q=nobody/);
  await expect(page.getByText("No mail matches")).toBeVisible();
});

test("others do not come in", async ({ page }) => {
  await signIn(page, "agent", "/settings/mailboxes");
  await expect(page.getByRole("button", { name: "Add a mailbox" })).toHaveCount(0);
});

test("the shape holds on a phone", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await signIn(page, "admin", "/settings/mailboxes");
  for (const path of PAGES) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await test.step(path, () => expectNoSidewaysScroll(page));
  }
});

test("axe finds nothing", async ({ page }) => {
  await signIn(page, "admin");
  for (const path of PAGES) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await test.step(path, () => expectNoViolationsInBothThemes(page));
  }
});
