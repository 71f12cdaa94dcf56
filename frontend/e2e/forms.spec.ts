/** Kinds of request: an administrator puts a form together, people fill it in, and the server holds to it. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolationsInBothThemes,
  PASSWORD,
  signIn,
  title,
} from "./support";

async function tokenOf(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const answer = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  return { Authorization: `Bearer ${(await answer.json()).access_token}` };
}
async function addField(page: Page, kind: string, name: string): Promise<void> {
  await page.getByRole("button", { name: "Add a field" }).click();
  await page.getByRole("menuitem", { name: kind, exact: true }).click();
  await page
    .getByRole("region", { name: /^Field: / })
    .getByLabel("Title")
    .fill(name);
}

test("a new kind of request, from its form to a ticket that keeps it", async ({ browser, request }) => {
  test.setTimeout(120_000);
  const name = title("Lost things");
  const admin = await as(browser, "admin", "/settings/ticket-types");
  await admin.getByRole("link", { name: "New kind of request" }).click();
  await expect(admin.getByRole("heading", { level: 1, name: "New kind of request" })).toBeVisible();
  await admin.getByLabel("Name").fill(name);
  const key = await admin.getByLabel("Key").inputValue();
  expect(key).toMatch(/^LOST_THINGS_[A-Z0-9_]+$/);
  await admin.getByLabel("Everyday words").fill("stolen");
  await admin.keyboard.press("Enter");
  await admin.getByRole("switch", { name: "Needs approval" }).click();

  await admin.getByRole("tab", { name: "Form" }).click();
  await addField(admin, "Choice", "What happened");
  const panel = admin.getByRole("region", { name: /^Field: / });
  await panel.getByLabel("Choice 1").fill("Lost");
  await panel.getByLabel("Choice 2").fill("Stolen");
  await panel.getByRole("switch", { name: "Must be filled in" }).click();
  await addField(admin, "Text", "Police report");
  await panel.getByRole("switch", { name: "Must be filled in" }).click();
  await panel.getByRole("button", { name: "Add a condition" }).click();
  await panel.getByRole("combobox", { name: "Field" }).click();
  await admin.getByRole("option", { name: "What happened" }).click();
  const row = panel.getByRole("group", { name: "Condition 1" });
  await row.getByRole("combobox", { name: /Value for/ }).click();
  await admin.getByRole("option", { name: "Stolen" }).click();
  await expect(panel.getByText("What happened is Stolen")).toBeVisible();

  // As people will see it: on a phone, and reacting.
  const preview = admin.getByRole("region", { name: /on a phone/ });
  const width = await preview.evaluate(
    (e) => (e.querySelector("[class*='max-w-80']")?.clientWidth ?? 999) + 2,
  );
  expect(width).toBeLessThanOrEqual(320);
  await expect(preview.getByLabel("Police report")).toHaveCount(0);
  await preview.getByRole("combobox", { name: "What happened" }).click();
  await admin.getByRole("option", { name: "Stolen" }).click();
  await expect(preview.getByLabel("Police report")).toBeVisible();
  await preview.getByRole("button", { name: "Check as if submitted" }).click();
  await expect(preview.getByText("It could not be submitted yet.")).toBeVisible();

  // By keyboard: the second field becomes the first, and comes back.
  const list = admin.getByRole("list", { name: "Fields of the form" });
  await list
    .getByRole("button", { name: /^Police report/ })
    .first()
    .focus();
  await admin.keyboard.press("Alt+ArrowUp");
  await expect(list.getByRole("listitem").first()).toContainText("Police report");
  await admin.keyboard.press("Alt+ArrowDown");
  await expect(list.getByRole("listitem").first()).toContainText("What happened");

  // Whoever leaves without saving is asked.
  await admin.getByRole("link", { name: "Dashboard" }).first().click();
  await admin.getByRole("dialog").getByRole("button", { name: "Stay" }).click();
  await admin.getByRole("button", { name: "Create", exact: true }).click();
  const dialog = admin.getByRole("dialog");
  await expect(dialog.getByText("shown when What happened is Stolen")).toBeVisible();
  await dialog.getByRole("button", { name: "Publish" }).click();
  await expect(admin.getByRole("heading", { level: 1, name })).toBeVisible();

  // Somebody asks for it; what the form does not show is neither asked nor sent.
  const what = title("My badge");
  const jane = await as(browser, "employee", `/new/${key}`);
  await jane.getByLabel("Title").fill(what);
  await jane.getByRole("combobox", { name: "What happened" }).click();
  await jane.getByRole("option", { name: "Stolen" }).click();
  await jane.getByLabel("Police report").fill("Never sent");
  await jane.getByRole("combobox", { name: "What happened" }).click();
  await jane.getByRole("option", { name: "Lost" }).click();
  await expect(jane.getByLabel("Police report")).toHaveCount(0);
  await jane.getByRole("button", { name: "Submit" }).click();
  await jane.waitForURL(/\/tickets\/\d+$/);
  await expect(jane.getByRole("heading", { level: 1 })).toHaveText(what);
  await expect(jane.getByText("Never sent")).toHaveCount(0);
  const ticketPath = new URL(jane.url()).pathname;

  // The server says the same to whoever does not use the form.
  const headers = await tokenOf(request, "employee");
  const refused = async (fields: Record<string, unknown>) => {
    const data = { title: "By hand", ticket_type: key, custom_fields: fields, submit: true };
    const answer = await request.post("/api/v1/tickets", { headers, data });
    expect(answer.status()).toBe(422);
    return (await answer.json()).errors as { pointer: string; message: string }[];
  };
  expect(await refused({ what_happened: "Stolen" })).toEqual([
    { pointer: "/custom_fields/police_report", message: "is needed" },
  ]);
  expect(await refused({ what_happened: "Lost", police_report: "x" })).toEqual([
    { pointer: "/custom_fields/police_report", message: "is not asked for here" },
  ]);

  // The form changes; the old ticket keeps its own.
  await list
    .getByRole("button", { name: /^What happened/ })
    .first()
    .click();
  await panel.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(dialog.getByText("Police report")).toBeVisible();
  await expect(dialog.getByText("One request has a value in it.")).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Remove the field" })).toBeDisabled();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await panel.getByLabel("Title").fill("What became of it");
  await admin.getByRole("button", { name: "Publish …" }).click();
  await expect(dialog.getByText("was called “What happened”")).toBeVisible();
  await dialog.getByLabel("Why it changes").fill("People asked what it means");
  await dialog.getByRole("button", { name: "Publish" }).click();
  await expect(dialog).toHaveCount(0);
  await admin.getByRole("tab", { name: "Versions" }).click();
  await expect(admin.getByText("People asked what it means")).toBeVisible();
  await jane.goto(ticketPath);
  await expect(jane.getByRole("term").filter({ hasText: "What happened" })).toBeVisible();
  await admin.getByRole("button", { name: "Bring back version 1" }).click();
  await dialog.getByRole("button", { name: "Bring back" }).click();
  await expect(admin.getByText("brought back from version 1")).toBeVisible();
});

test("two who change the same kind of request: both sides are shown", async ({ browser, request }) => {
  const name = title("Shared");
  const headers = await tokenOf(request, "admin");
  const key = name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, "_");
  const form = { properties: { note: { "x-kind": "text", title: "Note" } } };
  const made = await request.post("/api/v1/ticket-types", { headers, data: { key, name, form } });
  expect(made.status()).toBe(201);
  const admin = await as(browser, "admin", `/settings/ticket-types/${key}`);
  await admin.getByLabel("Description").fill("Mine");
  const theirs = { name, form: { ...form, required: ["note"] }, version: 1, requires_approval: false };
  expect((await request.put(`/api/v1/ticket-types/${key}`, { headers, data: theirs })).status()).toBe(200);
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  const conflict = admin.getByRole("alert").filter({ hasText: "Somebody else has changed this" });
  await expect(conflict.getByText("Basics: approval.")).toBeVisible();
  await expect(conflict.getByText("required now")).toBeVisible();
  await conflict.getByRole("button", { name: "Save mine over theirs" }).click();
  await expect(conflict).toHaveCount(0);
  const now = await (await request.get(`/api/v1/ticket-types/${key}`, { headers })).json();
  expect(now).toMatchObject({ description: "Mine", requires_approval: true, version: 3 });
});

test("categories are added, moved, renamed and removed", async ({ page }) => {
  const name = title("Legal");
  await signIn(page, "admin", "/settings/categories");
  await page.getByLabel("New category").fill(name);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const items = page.getByRole("list", { name: "Categories" }).getByRole("listitem");
  await expect(items.last()).toContainText(name);
  await page.getByRole("button", { name: `Move ${name} up` }).click();
  await expect(items.last()).not.toContainText(name);
  await expect(page.getByRole("button", { name: `Move ${name} up` })).toBeFocused();
  await page.getByRole("button", { name: `Rename ${name}` }).click();
  await page.getByLabel("Name of the category").fill(`${name} desk`);
  await page.keyboard.press("Enter");
  await expect(items.filter({ hasText: `${name} desk` })).toHaveCount(1);
  await expect(page.getByRole("button", { name: "Remove IT" })).toBeDisabled();
  await page.getByRole("button", { name: `Remove ${name} desk` }).click();
  await expect(items.filter({ hasText: name })).toHaveCount(0);
});

const SCREENS = [
  "/settings/ticket-types",
  "/settings/categories",
  "/settings/ticket-types/new",
  "/settings/ticket-types/HR",
  "/settings/ticket-types/HR?tab=form",
  "/settings/ticket-types/HR?tab=versions",
];

test("nothing keeps anybody out", async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page, "admin");
  for (const path of SCREENS) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("main [aria-hidden='true'] .animate-pulse")).toHaveCount(0);
    if (path.includes("form")) {
      await page.getByRole("list", { name: "Fields of the form" }).getByRole("button").first().click();
      await expect(page.getByRole("switch", { name: "Must be filled in" })).toBeVisible();
    }
    await test.step(path, () => expectNoViolationsInBothThemes(page));
  }
});

for (const width of [320, 768]) {
  test(`the designer fits ${width} px`, async ({ page }) => {
    await page.setViewportSize({ width, height: 700 });
    await signIn(page, "admin");
    for (const path of SCREENS) {
      await page.goto(path);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await page.waitForLoadState("load");
      await expectNoSidewaysScroll(page);
    }
    await page.goto("/settings/ticket-types/HR?tab=form");
    await page
      .getByRole("list", { name: "Fields of the form" })
      .getByRole("button", { name: /^First day/ })
      .first()
      .click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await expectNoSidewaysScroll(page);
    await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
    await expect(page.getByRole("button", { name: /^First day/ }).first()).toBeFocused();
  });
}
