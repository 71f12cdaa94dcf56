/** The daily work at a desk: by keyboard, with filters in the address, without a connection, after a session's end. */
import { expect, test } from "@playwright/test";
import { as, signIn, title } from "./support";

test("lists and shortcuts by keyboard alone", async ({ page }) => {
  await signIn(page, "agent");
  await expect(page.getByRole("heading", { level: 1, name: /Hello/ })).toBeVisible();
  await page.keyboard.press("2");
  await expect(page).toHaveURL(/\/tickets$/);
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const title = await page.locator("#row-1 a").innerText();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  await page.keyboard.press("Shift+?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.getByLabel("Find tickets and people").fill("j"); // typing is not a shortcut
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
});

test("the skip link is the first stop and leads past the navigation", async ({ page }) => {
  await signIn(page, "employee", "/tickets");
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await page.reload();
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("#main")).toBeFocused();
});

test("filters live in the address: shared, reloaded, gone back", async ({ page, browser }) => {
  await signIn(page, "agent", "/tickets");
  await page.getByLabel("In review").check();
  await expect(page).toHaveURL(/status=IN_REVIEW/);
  await page.getByLabel("High").check();
  await expect(page).toHaveURL(/priority=HIGH/);
  const shared = new URL(page.url());
  await page.reload();
  await expect(page.getByLabel("In review")).toBeChecked();
  const other = await as(browser, "agent2", shared.pathname + shared.search);
  await expect(other.getByLabel("In review")).toBeChecked();
  await page.getByRole("button", { name: "Clear all" }).click();
  await expect(page).toHaveURL(/\/tickets$/);
  await page.getByLabel("Find tickets and people").fill("no such words anywhere");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Nothing found" })).toBeVisible();
});

test("without a connection the screen says so and comes back by itself", async ({ page, context }) => {
  await signIn(page, "agent", "/tickets");
  await expect(page.locator("tbody tr").first()).toBeVisible();
  await context.setOffline(true);
  await expect(page.getByText("You are offline.")).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByText("You are offline.")).toHaveCount(0);
});

test("a session that has ended asks for the password in place", async ({ page, context }) => {
  await signIn(page, "employee", "/new/IT_HARDWARE");
  await page.getByLabel("Title").fill("Half a sentence");
  const cookies = await context.cookies();
  expect(cookies.some((c) => c.httpOnly)).toBe(true);
  await context.clearCookies();
  await page.route("**/api/v1/tickets", (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401}' }),
  );
  await page.getByRole("button", { name: "Save as draft" }).click();
  await expect(page.getByRole("dialog", { name: "Please sign in again" })).toBeVisible();
  await page.unroute("**/api/v1/tickets");
  await page.getByRole("dialog").getByLabel("Password").fill("demo-Passw0rd-2026");
  await page.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByLabel("Title")).toHaveValue("Half a sentence");
});

test("what is not mine is not there", async ({ page }) => {
  await signIn(page, "outsider", "/tickets/1");
  await expect(page.getByText("Not found")).toBeVisible();
  await page.goto("/no/such/page");
  await expect(page.getByText("Not found")).toBeVisible();
});

test("a page a role may not use says so", async ({ page }) => {
  await signIn(page, "auditor", "/new");
  await expect(page.getByRole("heading", { level: 1, name: "No access" })).toBeVisible();
  await page.goto("/approvals");
  await expect(page.getByRole("heading", { level: 1, name: "No access" })).toBeVisible();
});

test("from signing in to a submitted request in three steps", async ({ page }) => {
  const what = title("The projector flickers");
  await signIn(page, "employee");
  await page
    .getByRole("main")
    .getByRole("link", { name: /^IT support/ })
    .click();
  await page.getByLabel("Title").fill(what);
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(what);
});

test("a first visit is quiet, and another tab shares the sign-in until it ends", async ({
  page,
  context,
}) => {
  const said: string[] = [];
  // journeys run without the service worker, and the browser says so
  const isOurs = (text: string) => !text.startsWith("Service Worker registration blocked");
  page.on(
    "console",
    (m) => ["error", "warning"].includes(m.type()) && isOurs(m.text()) && said.push(m.text()),
  );
  await page.goto("/tickets");
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  expect(said).toEqual([]);
  await signIn(page, "colleague");
  const other = await context.newPage();
  await other.goto("/tickets");
  await expect(other.getByRole("heading", { level: 1, name: "Tickets" })).toBeVisible();
  await other.getByRole("button", { name: /^Account of/ }).click();
  await other.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(other.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  expect(said).toEqual([]);
});

test("wrong passwords are told, and a foreign address is not followed", async ({ page }) => {
  await page.goto("/login?next=//evil.example/");
  await page.getByLabel("Username or e-mail").fill("employee");
  await page.getByLabel("Password", { exact: true }).fill("wrong");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert")).toHaveText("Username or password is not right.");
  await page.getByLabel("Password", { exact: true }).fill("demo-Passw0rd-2026");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: /Hello/ })).toBeVisible();
  expect(new URL(page.url()).pathname).toBe("/");
});
