/** How one is told and in which words, what went out, and the notification centre. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolationsInBothThemes,
  mailAbout,
  PASSWORD,
  signIn,
  title,
} from "./support";

async function token(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  const { access_token } = (await login.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}

async function ask(request: APIRequestContext, username: string, what: string): Promise<number> {
  const made = await request.post("/api/v1/tickets", {
    data: { title: what, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true },
    headers: await token(request, username),
  });
  expect(made.status()).toBe(201);
  return ((await made.json()) as { id: number }).id;
}

async function say(request: APIRequestContext, id: number, body: string): Promise<void> {
  const made = await request.post(`/api/v1/tickets/${id}/comments`, {
    data: { body, visibility: "PUBLIC" },
    headers: await token(request, "agent"),
  });
  expect(made.status()).toBe(201);
}

const saved = (page: Page) => expect(page.getByText("Everything is saved")).toBeVisible();

test("one chooses how one is told, and it says what that means", async ({ page }) => {
  await signIn(page, "outsider", "/account/notifications");
  const comments = page.getByRole("group", { name: "Comments", exact: true });
  const mail = comments.getByRole("checkbox", { name: "E-mail" });
  await expect(comments.getByText("You are told in the app and by e-mail.")).toBeVisible();
  await mail.uncheck();
  await expect(comments.getByText("You are told in the app.")).toBeVisible();
  await page.getByLabel("Keep quiet hours").check();
  await page.getByRole("button", { name: "Save" }).click();
  await saved(page);
  await page.reload();
  await expect(mail).not.toBeChecked();
  await expect(page.getByLabel("Keep quiet hours")).toBeChecked();
  const asked = page.getByRole("group", { name: "Your approval is asked for" });
  await expect(asked.getByText("cannot be switched off")).toHaveCount(1);

  await mail.check();
  await page.getByLabel("Keep quiet hours").uncheck();
  await page.getByRole("link", { name: "Tickets" }).first().click();
  await page.getByRole("button", { name: "Stay" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await saved(page);
});

test("words are written, tried on a request, told, and taken back", async ({ page, browser, request }) => {
  test.setTimeout(180_000);
  const what = title("Worded");
  const id = await ask(request, "colleague", what);
  await signIn(page, "admin", "/settings/templates");
  await page.getByRole("link", { name: /New comment/ }).click();
  const body = page.getByLabel("Text", { exact: true });
  await body.fill("Look:\n{{ ticket.titel }}");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(
    page.getByText(/line 2: there is no value ticket.titel; did you mean ticket.title/),
  ).toBeVisible();
  await body.fill("They say: ");
  await body.press("End");
  await page.getByRole("button", { name: /Put in words/ }).click();
  await expect(body).toHaveValue("They say: {{ words }}");
  await expect(page.frameLocator("iframe").getByText(/They say: Please say which model/)).toBeVisible();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "Back to the built-in words" })).toBeVisible();

  const reader = await as(browser, "colleague");
  await say(request, id, "The blue one?");
  await reader.getByRole("button", { name: /^Notifications, / }).click();
  await expect(reader.getByText("They say: The blue one?").first()).toBeVisible();

  await page.getByRole("button", { name: "Back to the built-in words" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Back to the built-in words" }).click();
  await expect(page.getByText("These are the built-in words.")).toBeVisible();
  // The newest version is the way back, the one before it what was written.
  await page
    .getByRole("button", { name: /^Compare version/ })
    .nth(1)
    .click();
  await expect(page.getByText("They say: {{ words }}")).toBeVisible();
});

test("a channel is tried, and the log says what became of it", async ({ page }) => {
  await signIn(page, "admin", "/settings/channels");
  await page.getByRole("button", { name: "Send a test to me: E-mail" }).click();
  await expect(page.getByText("It went out to admin@example.com.")).toBeVisible({ timeout: 20_000 });
  expect((await mailAbout("A test from Waypost")).to).toContain("admin@example.com");
  await page.getByRole("link", { name: "Messages: E-mail" }).click();
  await page.getByLabel("Subject or recipient").fill("test from waypost");
  await expect(page).toHaveURL(/q=test/);
  await expect(page.getByText("Test: A test from Waypost").first()).toBeVisible();
  await page
    .getByRole("button", { name: /^More about: Test/ })
    .first()
    .click();
  await expect(page.getByText("Message-ID").first()).toBeVisible();
});

test("notices stand by request, and what is read stays where it is", async ({ page, request }) => {
  const what = title("Centre");
  const id = await ask(request, "employee", what);
  await signIn(page, "employee");
  await say(request, id, "one");
  await say(request, id, "two");
  await page.getByRole("button", { name: /^Notifications/ }).click();
  const panel = page.getByRole("dialog", { name: "Notifications" });
  await panel.getByRole("button", { name: "Unread", exact: true }).click();
  const notices = panel.getByRole("button", { name: new RegExp(`New comment: ${what}`) });
  await expect(notices).toHaveCount(4); // two notices, each with a button that marks it
  await notices.first().focus();
  await page.keyboard.press("e");
  await expect(notices).toHaveCount(3);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(new RegExp(`/tickets/${id}`));
  await expect(panel).toBeHidden();
});

test("the shape holds on a phone", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await signIn(page, "admin", "/account/notifications");
  for (const path of PAGES) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await test.step(path, () => expectNoSidewaysScroll(page));
  }
});

const PAGES = [
  "/account/notifications",
  "/settings/notifications",
  "/settings/templates",
  "/settings/templates/comment-created",
  "/settings/templates/mail-layout",
  "/settings/channels",
  "/settings/deliveries",
];
test("axe finds nothing", async ({ page }) => {
  test.setTimeout(180_000);
  await signIn(page, "admin");
  for (const path of PAGES) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await page.waitForTimeout(500); // what is asked for a moment after one looks
    // The checker cannot enter a frame in which nothing may run.
    const text = page.getByRole("tab", { name: "As text" });
    if (await text.isVisible()) {
      await text.click();
      await expect(page.locator("iframe")).toHaveCount(0);
    }
    await test.step(path, () => expectNoViolationsInBothThemes(page));
  }
  await page.getByRole("button", { name: /^Notifications/ }).click();
  await expect(page.getByRole("dialog", { name: "Notifications" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
