/** A ticket is worked on: properties changed where they stand, two at once, undone; merged; kept confidential. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  ownBrowser,
  PASSWORD,
  signIn,
  title,
} from "./support";

interface Made {
  id: number;
  ticket_number: string;
}

/** Somebody's requests for support, made without a browser. */
async function make(
  request: APIRequestContext,
  words: string,
  more: object = {},
  who = "employee",
): Promise<Made> {
  const login = await request.post("/api/v1/auth/login", { data: { username: who, password: PASSWORD } });
  const { access_token } = (await login.json()) as { access_token: string };
  const made = await request.post("/api/v1/tickets", {
    data: { title: words, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true, ...more },
    headers: { Authorization: `Bearer ${access_token}` },
  });
  expect(made.status()).toBe(201);
  return (await made.json()) as Made;
}

const field = (page: Page, name: string) =>
  page.getByRole("button", { name: new RegExp(`^Change ${name}:`) });
const details = (page: Page) => page.getByRole("region", { name: "Details" });

test("a property is changed where it stands, with a key, and taken back", async ({ page, request }) => {
  const made = await make(request, title("Inline"));
  await signIn(page, "agent", `/tickets/${made.id}`);
  await expect(field(page, "Priority")).toContainText("Medium");
  await page.keyboard.press("p");
  const box = details(page).getByRole("combobox", { name: "Priority" });
  await expect(box).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(field(page, "Priority")).toBeFocused();
  await page.keyboard.press("Enter");
  await box.fill("hig");
  await page.getByRole("option", { name: "High" }).click();
  await expect(field(page, "Priority")).toContainText("High");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(field(page, "Priority")).toContainText("Medium");
  await page.keyboard.press("i");
  await expect(field(page, "Assignee")).toContainText("Amir Novak");

  await field(page, "Tags").click();
  await page.keyboard.type("Docking Station");
  await page.getByRole("option", { name: /Docking Station/i }).click();
  await page.getByRole("heading", { level: 1 }).click();
  await expect(field(page, "Tags")).toContainText("docking station");
  await field(page, "Due date").click();
  await page.getByLabel("Due date", { exact: true }).fill("2031-03-04");
  await page.keyboard.press("Enter");
  await expect(field(page, "Due date")).toContainText("2031");
});

test("two change the same at once: both values are shown, and one is chosen", async ({
  browser,
  request,
}) => {
  const made = await make(request, title("At once"));
  const [one, other] = await Promise.all([
    as(browser, "agent", `/tickets/${made.id}`),
    as(browser, "agent2", `/tickets/${made.id}`),
  ]);
  await expect(field(one, "Priority")).toContainText("Medium");
  await one.route("**/api/v1/events/stream", (route) => route.abort()); // this screen does not hear of the other
  await one.reload();
  await expect(field(one, "Priority")).toContainText("Medium");
  await field(other, "Priority").click();
  await other.getByRole("option", { name: "High" }).click();
  await expect(other.getByText("Priority is now High").last()).toBeVisible();

  await field(one, "Priority").click();
  await one.getByRole("option", { name: "Low" }).click();
  const dialog = one.getByRole("dialog", { name: `Both of you changed ${made.ticket_number}` });
  await expect(dialog).toContainText("Aiko Tanaka");
  await expect(dialog.getByRole("button", { name: "Keep what I chose" })).toBeDisabled();
  await expectNoViolations(one);
  await dialog.getByRole("radio", { name: /Yours\s*Low/ }).check();
  await dialog.getByRole("button", { name: "Keep what I chose" }).click();
  await expect(field(one, "Priority")).toContainText("Low");
  await expect(field(other, "Priority")).toContainText("Low");

  // what only one of them changed is nobody's loss, and asks nothing
  await field(other, "Due date").click();
  await other.getByLabel("Due date", { exact: true }).fill("2031-03-04");
  await other.keyboard.press("Enter");
  await expect(other.getByText(/Due date is now/).last()).toBeVisible();
  await field(one, "Priority").click();
  await one.getByRole("option", { name: "Critical" }).click();
  await expect(field(other, "Priority")).toContainText("Critical");
  await expect(field(other, "Due date")).toContainText("2031");
});

test("a row of the list is changed in place", async ({ page, request }) => {
  const words = title("Row");
  await make(request, words);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(words)}`);
  await field(page, "Priority").click();
  await page.getByRole("option", { name: "Critical" }).click();
  await expect(page.getByText("Priority is now Critical").last()).toBeVisible();
  await expect(page).toHaveURL(/\/tickets\?/);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(field(page, "Priority")).toContainText("Medium");
});

test("a duplicate is looked at, merged, and points to the one that goes on", async ({
  page,
  browser,
  request,
}) => {
  const main = await make(request, title("Main"));
  const double = await make(request, title("Double"), { is_confidential: true }, "colleague");
  await signIn(page, "agent", `/tickets/${double.id}`);
  await expect(page.getByText("Confidential", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Merge into another…" }).click();
  const dialog = page.getByRole("dialog");
  await expect(page.getByRole("menu")).toBeHidden(); // its focus is given back before one types elsewhere
  await dialog.getByRole("combobox").click();
  await dialog.getByRole("combobox").fill(main.ticket_number);
  await expect(page.getByRole("option")).toHaveCount(1); // what was typed has been looked up
  await page.getByRole("option", { name: new RegExp(main.ticket_number) }).click();
  await expect(dialog.getByText(`will see ${main.ticket_number} from then on`)).toBeVisible();
  await expect(dialog.getByText(/confidential and the other is not/)).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Merge" })).toBeDisabled();
  await expectNoViolations(page);
  await dialog.getByLabel("I have seen this, and it is meant to be so").click();
  await dialog.getByRole("button", { name: "Merge" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("This was the same as another request")).toBeVisible();
  const colleague = await as(browser, "colleague", `/tickets/${double.id}`);
  await colleague
    .getByRole("main")
    .getByRole("link", { name: new RegExp(main.ticket_number) })
    .first()
    .click();
  await expect(colleague).toHaveURL(new RegExp(`/tickets/${main.id}$`));
});

test("a confidential request: who is let in sees it, the manager does not", async ({
  page,
  browser,
  request,
}) => {
  const made = await make(request, title("Private"), { is_confidential: true });
  const path = `/tickets/${made.id}`;
  const [manager, outsider] = await Promise.all([
    as(browser, "manager", path),
    as(browser, "outsider", path),
  ]);
  for (const other of [manager, outsider]) await expect(other.getByText("Not found")).toBeVisible();
  await signIn(page, "agent", path);
  await page.getByRole("button", { name: "Add a watcher" }).click();
  await page.getByPlaceholder(/name/i).last().fill("Oscar");
  await page.getByRole("option", { name: /Oscar Silva/ }).click();
  await expect(page.getByText("let in by the team")).toBeVisible();
  await outsider.reload();
  await expect(outsider.getByRole("heading", { level: 1 })).toContainText("Private");
  await manager.reload();
  await expect(manager.getByText("Not found")).toBeVisible();
});

test("a checklist is written, ticked and put in order by keyboard", async ({ page, request }) => {
  const made = await make(request, title("List"));
  await signIn(page, "agent", `/tickets/${made.id}`);
  const fresh = page.getByLabel("Add an item");
  for (const text of ["First", "Second"]) {
    await fresh.fill(text);
    await fresh.press("Enter");
    await expect(page.getByRole("checkbox", { name: text })).toBeVisible();
  }
  await page.getByRole("checkbox", { name: "Second" }).click();
  await expect(page.getByRole("img", { name: "1 of 2 done" })).toBeVisible();
  await page.getByRole("checkbox", { name: "Second" }).focus();
  await page.keyboard.press("Alt+ArrowUp");
  await expect(page.getByRole("checkbox").first()).toHaveAccessibleName("Second");
  await page.reload();
  await expect(page.getByRole("checkbox").first()).toHaveAccessibleName("Second");
});

test("what stands beside a ticket can be read by everybody", async ({ browser, request }) => {
  const made = await make(request, title("Whole"), { tags: ["vpn", "home office"], is_confidential: true });
  const page = await ownBrowser(browser);
  await signIn(page, "agent", `/tickets/${made.id}`);
  await expect(page.getByRole("heading", { name: "Checklist" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Split off a request…" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.keyboard.press("Escape");
  for (const width of [320, 768]) {
    await page.setViewportSize({ width, height: 800 });
    await expectNoSidewaysScroll(page);
  }
});
