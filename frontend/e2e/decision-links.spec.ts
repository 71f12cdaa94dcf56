/** Deciding from a mail: the link opens one decision; opening it decides nothing; it works once, for one person. */
import { expect, test, type Page } from "@playwright/test";
import {
  as,
  askForHardware,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  mailAbout,
  PASSWORD,
  signIn,
  title,
} from "./support";

/** The link of a mail with which its reader decides. */
async function decideLink(what: string): Promise<string> {
  const { text } = await mailAbout(what);
  const link = /Decide: https?:\/\/[^/\s]+(\/decide\/[0-9A-Za-z_]+)/.exec(text)?.[1];
  expect(link, text).toBeTruthy();
  return link as string;
}
/** What the requester does meanwhile, somewhere else. */
async function retitle(page: Page, id: number, words: string): Promise<void> {
  const who = { username: "employee", password: PASSWORD };
  const login = await page.request.post("/api/v1/auth/login", { data: who });
  const headers = {
    Authorization: `Bearer ${((await login.json()) as { access_token: string }).access_token}`,
  };
  const read = await page.request.get(`/api/v1/tickets/${id}`, { headers });
  const { version } = (await read.json()) as { version: number };
  const data = { title: words, version };
  expect((await page.request.put(`/api/v1/tickets/${id}`, { headers, data })).status()).toBe(200);
}
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

test("approved on the phone without signing in, once; opened again it says so", async ({ browser, page }) => {
  const jane = await as(browser, "employee");
  const what = title("Mail me");
  const ticket = await askForHardware(jane, what, "240");
  const link = await decideLink(what);
  await page.setViewportSize({ width: 320, height: 640 });

  // as a scanner does: many times, from nowhere
  for (let n = 0; n < 3; n++) expect((await page.request.get(link)).status()).toBe(200);
  const api = link.replace("/decide/", "/api/v1/decision-links/");
  expect((await page.request.get(api)).headers()["referrer-policy"]).toBe("no-referrer");
  expect((await page.request.head(api)).status()).toBe(200);
  expect((await page.request.post(api, { form: { action: "APPROVE", version: "1" } })).status()).toBe(415);

  await page.goto(link);
  await expect(page.getByRole("heading", { level: 2, name: what })).toBeVisible();
  await expect(page.getByText("$240.00").first()).toBeVisible();
  await expect(page.getByText(/requester.s manager/i).first()).toBeVisible();
  for (const name of ["Approve", "Reject", "Ask back"]) {
    const box = await button(page, name).boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(43.9);
    expect((box?.y ?? 0) + (box?.height ?? 0), `${name} is in reach`).toBeLessThanOrEqual(640);
  }
  await expectNoSidewaysScroll(page);
  await expectNoViolations(page);
  await button(page, "Approve")
    .tap()
    .catch(() => button(page, "Approve").click());
  await expect(page.getByRole("heading", { level: 1, name: "Approved" })).toBeFocused();
  await expect(page.getByText(/work on it can begin/)).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoViolations(page);

  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "You approved this" })).toBeVisible();
  await expect(page.getByText(/by the link from a mail/)).toBeVisible();
  await jane.goto(ticket);
  await jane.getByRole("tab", { name: /^History/ }).click();
  await expect(jane.getByText("approved a step, by the link from the mail")).toBeVisible();
});

test("rejecting needs a reason; the requester reads it", async ({ browser, page }) => {
  const jane = await as(browser, "employee");
  const what = title("No by mail");
  const ticket = await askForHardware(jane, what, "250");
  await page.goto(await decideLink(what));
  await button(page, "Reject").click();
  const form = page.getByRole("form", { name: "Reject" });
  await expect(form.getByLabel("Reason")).toBeFocused();
  await expect(form.getByRole("button", { name: "Reject" })).toBeDisabled();
  await page.keyboard.press("Escape");
  await expect(button(page, "Reject")).toBeFocused();
  await button(page, "Reject").click();
  await form.getByLabel("Reason").fill("Not this quarter");
  await form.getByRole("button", { name: "Reject" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Rejected" })).toBeVisible();
  await jane.goto(ticket);
  await expect(jane.getByText("Not this quarter").first()).toBeVisible();
});

test("somebody else is signed in here: told whose it is, and nothing of the request", async ({ browser }) => {
  const jane = await as(browser, "employee");
  const what = title("Not yours");
  await askForHardware(jane, what, "260");
  const link = await decideLink(what);
  const other = await as(browser, "colleague", link);
  await expect(other.getByRole("heading", { level: 1, name: /^This link is for / })).toBeVisible();
  await expect(other.getByText(what)).toHaveCount(0);
  await expect(button(other, "Approve")).toHaveCount(0);
  await expectNoViolations(other);
  await other.getByRole("button", { name: /^I am .*: sign out$/ }).click();
  await expect(other.getByRole("heading", { level: 2, name: what })).toBeVisible();
  await expect(button(other, "Approve")).toBeVisible();
});

test("changed since the mail: what differs is read first, then it is decided as it is now", async ({
  browser,
  page,
}) => {
  const jane = await as(browser, "employee");
  const what = title("Plain chair");
  const ticket = await askForHardware(jane, what, "270");
  const link = await decideLink(what);
  await page.goto(link);
  await expect(button(page, "Approve")).toBeVisible();
  // changed while the page stands open: the press decides nothing
  await retitle(page, Number(ticket.split("/").at(-1)), `${what} of gold`);
  await button(page, "Approve").click();
  const note = page.getByRole("region", { name: "Changed since the mail was written" });
  await expect(note).toBeFocused();
  await expect(note.getByText("of gold")).toBeVisible();
  await expect(button(page, "Approve")).toHaveCount(0);
  await expectNoViolations(page);
  await page.getByRole("button", { name: "I have read the change" }).click();
  await button(page, "Approve").click();
  await expect(page.getByRole("heading", { level: 1, name: "Approved" })).toBeVisible();
});

test("what is worth much asks its person to sign in, and leads back here", async ({ browser, page }) => {
  const jane = await as(browser, "employee");
  const what = title("Server room");
  await askForHardware(jane, what, "9400");
  const link = await decideLink(what);
  const mail = await mailAbout(what);
  const who = { "finance1@": "finance1", "finance2@": "finance2", "finance3@": "finance3" };
  const username =
    Object.entries(who).find(([at]) => mail.to.some((to) => to.includes(at)))?.[1] ?? "finance1";
  await page.goto(link);
  await expect(page.getByRole("heading", { level: 1, name: "Sign in to decide" })).toBeVisible();
  await expectNoViolations(page);
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(link));
  const right = page.getByRole("heading", { level: 2, name: what });
  const wrong = page.getByRole("heading", { level: 1, name: /^This link is for / });
  await expect(right.or(wrong)).toBeVisible();
});

test("a link nobody wrote", async ({ page }) => {
  await page.goto(`/decide/wpd_${"0".repeat(64)}`);
  await expect(page.getByRole("heading", { level: 1, name: "This link does not work" })).toBeVisible();
  await expectNoViolations(page);
});

test("confirming that it is oneself, and going on where one was", async ({ browser, page }) => {
  const jane = await as(browser, "employee");
  const what = title("Heavy");
  const ticket = await askForHardware(jane, what, "280");
  // the server's own refusal is held by its tests; here its words are put in its mouth once
  let asked = 0;
  await page.route("**/api/v1/approvals/*/approve", async (at) => {
    asked += 1;
    if (asked > 1) return at.continue();
    const body = { code: "step_up_needed", status: 403, title: "", detail: "", factors: ["password"] };
    await at.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify(body),
    });
  });
  await signIn(page, "manager", ticket);
  await button(page, "Approve").click();
  const dialog = page.getByRole("dialog", { name: "Confirm it's you" });
  await expect(dialog).toBeVisible({ timeout: 15_000 });
  await expectNoViolationsInBothThemes(page);
  await dialog.getByLabel(/^Password/).fill("not my password");
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await expect(dialog.getByText("The password is not right.")).toBeVisible();
  await dialog.getByLabel(/^Password/).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Confirm" }).click();
  await expect(dialog).toHaveCount(0);
  await expect.poll(() => asked).toBe(2);
  await jane.goto(ticket);
  await expect(jane.getByText("Approved").first()).toBeVisible();
});
