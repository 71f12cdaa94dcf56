/** The command palette and the keys: everything found, gone to and done without a mouse. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  PASSWORD,
  signIn,
  title,
} from "./support";

/** A request for support with this title, written by the employee; its id and number. */
async function make(
  request: APIRequestContext,
  what: string,
): Promise<{ id: number; ticket_number: string }> {
  const login = await request.post("/api/v1/auth/login", {
    data: { username: "employee", password: PASSWORD },
  });
  const { access_token } = (await login.json()) as { access_token: string };
  const made = await request.post("/api/v1/tickets", {
    data: { title: what, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true },
    headers: { Authorization: `Bearer ${access_token}` },
  });
  expect(made.status()).toBe(201);
  return (await made.json()) as { id: number; ticket_number: string };
}

const palette = (page: Page) => page.getByRole("dialog", { name: "Command palette" });
const line = (page: Page) => page.getByRole("combobox", { name: /Go to, find or do/ });

/** Ask for the palette once it waits in the page. */
async function open(page: Page): Promise<void> {
  await expect(page.locator("dialog")).toBeAttached({ timeout: 15_000 });
  await page.keyboard.press("Control+k");
  await expect(line(page)).toBeFocused();
}

test("opens, closes, and gives the focus back", async ({ page }) => {
  await signIn(page, "agent", "/tickets");
  await open(page);
  await page.keyboard.press("Escape");
  await expect(palette(page)).toBeHidden();

  const search = page.getByRole("combobox", { name: "Find tickets and people" });
  await search.focus();
  await page.keyboard.press("Control+k");
  await expect(line(page)).toBeFocused();
  await page.keyboard.press("Control+k");
  await expect(palette(page)).toBeHidden();
  await expect(search).toBeFocused();
});

test("a ticket by number, by words, a person and a page", async ({ page, request }) => {
  const what = title("Palette");
  await signIn(page, "agent", "/");
  const ticket = await make(request, what);
  await open(page);
  await page.keyboard.type(ticket.ticket_number);
  await expect(page.getByRole("option", { name: what })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/tickets/${ticket.id}`);
  await expect(page.getByRole("heading", { level: 1, name: what })).toBeVisible();

  await page.goto("/");
  await open(page);
  await page.keyboard.type(what.split(" ")[1] ?? "");
  await expect(page.getByRole("option", { name: what })).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("jane doe");
  await page.getByRole("group", { name: "People" }).getByRole("option", { name: "Jane Doe" }).click();
  await expect(page).toHaveURL(/requester_id=\d+/);
  await open(page);
  await page.keyboard.type("appro");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL("/approvals");
});

test("the open ticket: a value in one Enter, a colleague, a step, a comment; then it is among the last", async ({
  page,
  request,
}) => {
  const what = title("Commanded");
  await signIn(page, "agent", "/");
  const ticket = await make(request, what);
  await page.goto(`/tickets/${ticket.id}`);
  await expect(page.getByRole("heading", { level: 1, name: what })).toBeVisible();
  await open(page);
  await page.keyboard.type("urgent");
  await expect(page.getByRole("option", { selected: true })).toHaveText(/Priority: Critical/);
  await page.keyboard.press("Enter");
  await expect(page.getByText(/: Priority is now Critical/).first()).toBeVisible();

  await open(page);
  await page.keyboard.type("aiko");
  await expect(page.getByRole("option", { selected: true })).toHaveText(/Assign to Aiko Tanaka/);
  await page.keyboard.press("Enter");
  await expect(page.getByText("Assigned to Aiko Tanaka").first()).toBeVisible();

  await open(page);
  await page.keyboard.type("start work");
  await page.keyboard.press("Enter");
  await expect(page.locator("main header").getByText("In progress")).toBeVisible();

  await open(page);
  await page.keyboard.type("comment");
  await page.keyboard.press("Enter");
  await expect(page.locator("main textarea")).toBeFocused();

  await page.locator("main textarea").blur();
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await expect(page).toHaveURL("/");
  await open(page);
  await page.getByRole("group", { name: "Looked at last" }).getByRole("option", { name: what }).click();
  await expect(page).toHaveURL(`/tickets/${ticket.id}`);
});

test("others' tickets and internal words are not found", async ({ page, request }) => {
  const what = title("Hidden");
  await signIn(page, "outsider", "/");
  const ticket = await make(request, what);
  await open(page);
  await page.keyboard.type(ticket.ticket_number);
  await expect(palette(page).getByText("Nothing found").first()).toBeVisible();
  await page.keyboard.press("Control+a");
  await page.keyboard.type(what);
  await expect(palette(page).getByText("Nothing found").first()).toBeVisible();
});

test("the keys of a view are listed, jump, and can be switched off", async ({ page }) => {
  await signIn(page, "agent", "/tickets?status=CLOSED");
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(help.getByText("Next ticket")).toBeVisible();
  await expect(help.getByText("Command palette")).toBeVisible();
  await expectNoViolations(page);
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/tickets\/\d+$/);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page).toHaveURL("/tickets?status=CLOSED");
  await page.getByRole("combobox", { name: "Find tickets and people" }).focus();
  await page.keyboard.type("ga");
  await expect(page.getByRole("listbox", { name: "Suggestions" })).toBeVisible();
  await expect(page).toHaveURL("/tickets?status=CLOSED");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("listbox", { name: "Suggestions" })).toBeHidden();
  await page.getByRole("heading", { level: 1 }).click();
  await page.keyboard.press("g");
  await page.keyboard.press("a");
  await expect(page).toHaveURL("/approvals");
  await page.keyboard.press("?");
  await help.getByRole("switch").click();
  await page.keyboard.press("Escape");
  await expect(help).toBeHidden();
  await page.keyboard.press("g");
  await page.keyboard.press("t");
  await expect(page).toHaveURL("/approvals");
  await open(page);
});

test("can be read by all, also on a phone", async ({ page }) => {
  await signIn(page, "agent", "/tickets");
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await open(page);
  await expectNoViolationsInBothThemes(page);
  await page.keyboard.type("new");
  await expect(page.getByRole("option", { name: "New request", exact: true })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.setViewportSize({ width: 320, height: 640 });
  await expectNoSidewaysScroll(page);
  await page.keyboard.press("Control+a");
  await page.keyboard.type("zzzzzz");
  await expect(palette(page).getByText("Nothing found").first()).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
