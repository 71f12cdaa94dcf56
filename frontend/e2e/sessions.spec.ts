/** How long sign-ins last: set by an administrator, warned of, ended without losing what was typed; and ending others. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  expectNoViolations,
  expectNoViolationsInBothThemes,
  ownBrowser,
  PASSWORD,
  signIn,
  title,
} from "./support";

async function asAdmin(request: APIRequestContext): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username: "admin", password: PASSWORD } });
  return { authorization: `Bearer ${((await login.json()) as { access_token: string }).access_token}` };
}

/** Somebody new, whom no other journey knows. */
async function somebody(request: APIRequestContext): Promise<string> {
  const headers = await asAdmin(request);
  const username = title("lasting").replace(/\s/g, "");
  const added = await request.post("/api/v1/users", {
    headers,
    data: {
      username,
      email: `${username}@example.com`,
      first_name: "Ida",
      last_name: "Idle",
      password: PASSWORD,
      roles: ["employee"],
      department_id: null,
      manager_id: null,
    },
  });
  expect(added.status()).toBe(201);
  return username;
}

async function again(page: Page): Promise<void> {
  const ended = page.getByRole("dialog", { name: "Please sign in again" });
  await ended.getByLabel("Password").fill(PASSWORD);
  await ended.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(ended).toBeHidden();
}

test("an unused sign-in is warned of, kept by a click, and ends without losing what was typed", async ({
  page,
  request,
}) => {
  const username = await somebody(request);
  await page.clock.install();
  await signIn(page, username, "/new/IT_SUPPORT");
  await page.getByLabel("Title").fill("The printer hums");
  const warning = page.getByRole("dialog", { name: "Are you still there?" });
  await page.clock.fastForward("11:58:30");
  await expect(warning).toBeVisible();
  await expectNoViolations(page);
  await warning.getByRole("button", { name: "Stay signed in" }).click();
  await expect(warning).toBeHidden();
  await page.clock.fastForward("11:58:30");
  await expect(warning).toBeVisible();
  // the server counts by its own clock: there it ends now
  await request.delete(`/api/v1/users/${await idOf(request, username)}/sessions`, {
    headers: await asAdmin(request),
  });
  await page.clock.fastForward("00:05:00");
  await again(page);
  await expect(page).toHaveURL(/\/new\/IT_SUPPORT/);
  await expect(page.getByLabel("Title")).toHaveValue("The printer hums");
});

async function idOf(request: APIRequestContext, username: string): Promise<number> {
  const headers = await asAdmin(request);
  const found = await request.get(`/api/v1/users?q=${username}`, { headers });
  return ((await found.json()) as { items: { id: number }[] }).items[0]?.id ?? 0;
}

test("a person looks at their sign-ins and ends the others", async ({ browser, page, request }) => {
  const username = await somebody(request);
  const other = await ownBrowser(browser);
  await signIn(other, username);
  await signIn(page, username, "/account/sessions");
  await expect(page.getByText(/^Password ·/)).toHaveCount(2);
  await expect(page.getByText(/^Ends unused/)).toHaveCount(2);
  await page.getByRole("button", { name: "End all others" }).click();
  const sure = page.getByRole("dialog", { name: "End your other sign-ins?" });
  await expectNoViolations(page);
  await sure.getByRole("button", { name: "End all others" }).click();
  await expect(page.getByText(/^Password ·/)).toHaveCount(1);
  await other.goto("/tickets");
  await expect(other.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
});

test("an administrator sets how long they last", async ({ page, request }) => {
  const headers = await asAdmin(request);
  const key = `lasting_${Date.now()}`;
  const made = await request.post("/api/v1/roles", {
    headers,
    data: { key, name: key, permissions: [] },
  });
  expect(made.status()).toBe(201);
  await signIn(page, "admin", "/settings/sign-in");
  await expect(page.getByRole("heading", { name: "How long sign-ins last" })).toBeVisible();
  await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("button", { name: `How long sign-ins of ${key} last` }).click();
  const dialog = page.getByRole("dialog");
  await expectNoViolationsInBothThemes(page);
  await dialog.getByLabel("Unused").click();
  await page.getByRole("option", { name: "30 minutes" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("30 minutes unused")).toBeVisible();
  const { id } = (await made.json()) as { id: number };
  const role = (await (await request.get(`/api/v1/roles/${id}`, { headers })).json()) as {
    session_idle_minutes: number;
  };
  expect(role.session_idle_minutes).toBe(30);
  await request.delete(`/api/v1/roles/${id}`, { headers });
});
