import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  expectNoSidewaysScroll,
  expectNoViolations,
  linkIn,
  mailAbout,
  ownBrowser,
  PASSWORD,
  title,
} from "./support";

const BETTER = "quiet rivers carry old bridges";

/** Somebody nobody else signs in as. */
async function somebody(request: APIRequestContext): Promise<string> {
  const entered = await request.post("/api/v1/auth/login", {
    data: { username: "admin", password: PASSWORD },
  });
  const { access_token } = (await entered.json()) as { access_token: string };
  const username = title("forgetful").replace(" ", "").toLowerCase();
  const made = await request.post("/api/v1/users", {
    headers: { authorization: `Bearer ${access_token}` },
    data: {
      username,
      email: `${username}@example.com`,
      first_name: "Fern",
      last_name: "Forgetful",
      password: PASSWORD,
      roles: ["employee"],
      department_id: null,
      manager_id: null,
    },
  });
  expect(made.status()).toBe(201);
  return username;
}

async function enter(page: Page, username: string, password: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("who has forgotten their password chooses a new one by a link that opens once", async ({
  page,
  browser,
  request,
}) => {
  const username = await somebody(request);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto("/login");
    await expectNoViolations(page);
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await expect(page.getByRole("heading", { name: "A new password" })).toBeVisible();
    await expectNoViolations(page);
  }
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByRole("button", { name: "Send the link" }).click();
  await expect(page.getByText("a mail is on its way")).toBeVisible();
  const mail = await mailAbout("Choose a new password", username);
  const path = linkIn(mail);
  expect(path).toMatch(/^\/reset#wpl_/);

  const other = await ownBrowser(browser);
  await other.goto(path);
  await expect(other.getByRole("heading", { name: "Choose a new password" })).toBeVisible();
  await other.getByLabel("New password", { exact: true }).fill("too short");
  await expect(other.getByText("6 more to go.")).toBeVisible();
  await other.getByLabel("New password", { exact: true }).fill("football123456789");
  await other.getByRole("button", { name: "Set password" }).click();
  await expect(other.getByText("one of those that are tried first")).toBeVisible();
  await other.getByRole("button", { name: "Show: New password" }).click();
  await other.getByLabel("New password", { exact: true }).fill(BETTER);
  await expect(other.getByText("Long, and hard to guess.")).toBeVisible();
  await expectNoViolations(other);
  await other.getByRole("button", { name: "Set password" }).click();
  await expect(other.getByText("Your password is set.")).toBeVisible();

  await page.goto(path);
  await page.getByLabel("New password", { exact: true }).fill(`${BETTER} again`);
  await page.getByRole("button", { name: "Set password" }).click();
  await expect(page.getByText("This link has been used or is too old.")).toBeVisible();
  await enter(other, username, PASSWORD);
  await expect(other.getByText("Username or password is not right.")).toBeVisible();
  await enter(other, username, BETTER);
  await expect(other.getByRole("navigation").first()).toBeVisible();
});

test("changing it ends the other sign-ins; one that was not mine ends everything", async ({
  page,
  browser,
  request,
}) => {
  const username = await somebody(request);
  await enter(page, username, PASSWORD);
  await expect(page.getByRole("navigation").first()).toBeVisible();
  const thief = await ownBrowser(browser);
  await enter(thief, username, PASSWORD);
  await expect(thief.getByRole("navigation").first()).toBeVisible();
  const mail = await mailAbout("opened from a new device", username);
  const path = linkIn(mail);
  expect(path).toMatch(/^\/not-me#wpn_/);

  await page.goto("/account/security");
  await page.getByRole("button", { name: "Change password" }).click();
  const form = page.getByRole("dialog", { name: "Change password" });
  await form.getByLabel("Password until now", { exact: true }).fill("not this one");
  await form.getByLabel("New password", { exact: true }).fill(BETTER);
  await form.getByRole("button", { name: "Change password" }).click();
  await expect(form.getByText("This is not your password.")).toBeVisible();
  await expectNoViolations(page);
  await form.getByLabel("Password until now", { exact: true }).fill(PASSWORD);
  await form.getByRole("button", { name: "Change password" }).click();
  await expect(form).toBeHidden();
  await expect(page.getByRole("region", { name: "Password" })).toContainText("Changed");
  await expect.poll(async () => (await thief.request.post("/api/v1/auth/refresh")).status()).toBe(401);

  // the link of the mail outlives the new password: it may be the thief who has chosen that
  const owner = await ownBrowser(browser);
  await owner.goto(path);
  await expectNoViolations(owner);
  await owner.getByRole("button", { name: "It was not me" }).click();
  await expect(owner.getByText("Your account is closed to everybody else.")).toBeVisible();
  await enter(owner, username, BETTER);
  await expect(owner.getByText("Username or password is not right.")).toBeVisible();
  await expect.poll(async () => (await page.request.post("/api/v1/auth/refresh")).status()).toBe(401);
  await owner.goto(path);
  await owner.getByRole("button", { name: "It was not me" }).click();
  await expect(owner.getByRole("alert")).toContainText("used or is too old");
});
