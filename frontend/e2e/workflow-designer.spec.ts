/** Workflows put together, tried out, published, compared and brought back; by keyboard, on every screen, by two. */
import { readFile } from "node:fs/promises";
import { expect, test, type APIRequestContext, type Locator, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolationsInBothThemes,
  PASSWORD,
  signIn,
  title,
} from "./support";

async function headersOf(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const answer = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  return { Authorization: `Bearer ${(await answer.json()).access_token}` };
}
const outlineOf = (page: Page) => page.getByRole("navigation", { name: "Outline" });
const panelOf = (page: Page) => page.locator(".workflow-panel");

/** Moves the focus with Tab until it is there. */
async function tabTo(page: Page, target: Locator, most = 60): Promise<void> {
  for (let n = 0; n < most; n += 1) {
    if (await target.evaluate((e) => e === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  await expect(target).toBeFocused();
}
/** Chooses from a list that is typed into. */
async function choose(page: Page, typed: string, option: string | RegExp): Promise<void> {
  await page.keyboard.type(typed);
  await expect(page.getByRole("option", { name: option }).first()).toBeVisible();
  const current = page.getByRole("option", { name: option }).and(page.locator("[data-highlighted]"));
  for (let n = 0; n < 5 && !(await current.count()); n += 1) await page.keyboard.press("ArrowDown");
  await expect(current).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("listbox")).toHaveCount(0);
}
/** Chooses from a list that opens. */
async function pick(page: Page, option: string): Promise<void> {
  await page.keyboard.press("Enter");
  await expect(page.getByRole("option", { name: option, exact: true })).toBeVisible();
  await page.keyboard.type(option.slice(0, 12));
  await expect(page.getByRole("option", { name: option, exact: true })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("listbox")).toHaveCount(0);
}
/** What the browser refuses or complains of. */
function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on("console", (m) => m.type() === "error" && found.push(m.text()));
  page.on("pageerror", (error) => found.push(error.message));
  return found;
}
const kept = (page: Page) => expect(page.getByText(/^Draft saved at/)).toBeVisible();

const stage = (name: string, more: object = {}) => ({
  name,
  condition: null,
  approvers: [{ kind: "REQUESTER_MANAGER" }],
  mode: "PARALLEL",
  quorum: "ALL",
  due_in_minutes: 2880,
  escalation: null,
  ...more,
});
/** Requests of nobody else's. */
const ours = (name: string) => ({ all: [{ field: "title", op: "eq", value: name }] });

async function made(
  request: APIRequestContext,
  name: string,
  more: object = {},
): Promise<{ id: number; version: number }> {
  const answer = await request.post("/api/v1/approval-workflows", {
    headers: await headersOf(request, "admin"),
    data: { name, condition: ours(name), stages: [stage("Manager"), stage("Second look")], ...more },
  });
  expect(answer.status()).toBe(201);
  return (await answer.json()) as { id: number; version: number };
}

test("a workflow with a condition and a committee, by keyboard, from its name to a version restored", async ({
  page,
}) => {
  test.setTimeout(150_000);
  const said = complaints(page);
  const name = title("Large purchases");
  await signIn(page, "admin", "/settings/workflows");
  await tabTo(page, page.getByRole("button", { name: "New workflow" }));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "New workflow" })).toBeVisible();
  await tabTo(page, page.getByRole("dialog").getByLabel("Name"));
  await page.keyboard.type(name);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(page.getByText("Not published yet")).toBeVisible();
  const outline = outlineOf(page);
  const panel = panelOf(page);

  // For which requests.
  await tabTo(page, outline.getByRole("button", { name: /^A request is sent/ }));
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("heading", { name: "The workflow" })).toBeFocused();
  await tabTo(page, panel.getByRole("button", { name: "Add a condition" }));
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("combobox", { name: "Field" })).toBeFocused();
  await choose(page, "Title", "Title");
  await tabTo(page, panel.getByRole("textbox", { name: "Value for Title" }));
  await page.keyboard.type(name);
  await expect(outline.getByText(`Title is “${name}”`)).toBeVisible();

  // A committee: two of three, when it is worth it.
  await tabTo(page, outline.getByRole("button", { name: "Add a stage" }), 100);
  await page.keyboard.press("Enter");
  await expect(panel.getByLabel("Name")).toBeFocused();
  await page.keyboard.type("Committee");
  await tabTo(page, panel.getByRole("button", { name: "Add a condition" }));
  await page.keyboard.press("Enter");
  await expect(panel.getByRole("combobox", { name: "Field" })).toBeFocused();
  await choose(page, "Amount", "Amount");
  await tabTo(page, panel.getByRole("combobox", { name: "Comparison" }));
  await pick(page, "is at least");
  await page.keyboard.press("Tab");
  await page.keyboard.type("5000");
  await tabTo(page, panel.getByRole("combobox", { name: "Approvers 1", exact: true }));
  await pick(page, "Several people");
  for (const person of ["Farah Haddad", "Felix Moreau", "Fiona Walsh"]) {
    await tabTo(page, panel.getByRole("combobox", { name: "Approvers 1: add a person" }));
    await choose(page, person, new RegExp(person));
    await expect(panel.getByRole("button", { name: `Leave out ${person}` })).toBeVisible();
  }
  await tabTo(page, panel.getByRole("combobox", { name: "Who must say yes" }));
  await pick(page, "A number of them");
  await tabTo(page, panel.getByRole("spinbutton", { name: "How many must say yes" }));
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("2");
  await expect(panel.getByText("2 of 3 must say yes")).toBeVisible();
  await kept(page);

  // The same as a picture, and in its order by keyboard.
  const canvas = page.getByRole("region", { name: "Canvas" });
  await expect(canvas.getByRole("button", { name: /^2 ?Committee/ })).toBeVisible();
  await expect(canvas.getByText("If Amount is at least $5,000.00")).toBeVisible();
  const rows = outline.locator("[data-row]");
  await rows.nth(2).focus();
  await page.keyboard.press("Alt+ArrowUp");
  await expect(rows.nth(1)).toContainText("Committee");
  await expect(rows.nth(1)).toBeFocused();
  await page.keyboard.press("ControlOrMeta+z");
  await expect(rows.nth(2)).toContainText("Committee");
  await page.keyboard.press("ControlOrMeta+Shift+z");
  await expect(rows.nth(1)).toContainText("Committee");
  await page.keyboard.press("Alt+ArrowDown");
  await expect(rows.nth(2)).toContainText("Committee");
  await kept(page);

  // What it would do.
  await page.getByRole("tab", { name: "Simulate" }).click();
  const tried = page.getByRole("region", { name: "Simulate" });
  await tried.getByRole("combobox", { name: "Kind of request" }).click();
  await page.getByRole("option", { name: "IT hardware" }).click();
  await tried.getByLabel("Title").fill(name);
  await tried.getByLabel("Amount", { exact: true }).fill("6000");
  await tried.getByRole("button", { name: "Show the path" }).click();
  const path = tried.getByRole("group", { name: "The path" });
  await expect(path).toBeFocused();
  await expect(path.getByRole("listitem").filter({ hasText: "Committee" }).first()).toContainText(
    "2 of 3 must say yes",
  );
  await expect(path.getByText("Fiona Walsh")).toBeVisible();
  await expect(rows.nth(2)).toContainText("Applies");
  await tried.getByLabel("Amount", { exact: true }).fill("60");
  await tried.getByRole("button", { name: "Show the path" }).click();
  await expect(rows.nth(2)).toContainText("Not asked");
  await expect(rows.nth(1)).toContainText("Applies");

  // In force.
  await page.getByRole("button", { name: "Publish …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/Why it changes/).fill("Committee above 5,000");
  await dialog.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(dialog).toHaveCount(0);
  await expect(page.getByText("As published, version 1")).toBeVisible();
  await expect(page.getByText("In force", { exact: true })).toBeVisible();

  // Changed: what differs is read before it is published.
  await rows.nth(1).click();
  await panel.getByLabel("Name").fill("Line manager");
  await panel.getByLabel("Time to decide", { exact: true }).fill("3");
  await kept(page);
  await page.getByRole("button", { name: "Publish …" }).click();
  await expect(dialog.getByText(/Line manager/).first()).toBeVisible();
  await expect(dialog.getByText(/3 days/).first()).toBeVisible();
  await dialog.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(page.getByText("As published, version 2")).toBeVisible();

  // Compared, and brought back.
  await page.getByRole("tab", { name: "Versions" }).click();
  await expect(page.getByText("Committee above 5,000")).toBeVisible();
  await page.getByRole("button", { name: "Compare version 1" }).click();
  await expect(dialog.getByText(/Line manager/).first()).toBeVisible();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Restore version 1" }).click();
  await dialog.getByRole("button", { name: "Restore" }).click();
  await expect(page.getByRole("heading", { level: 2, name: /^Version 3/ })).toBeVisible();
  await expect(page.getByText("as version 1 was")).toBeVisible();
  await page.getByRole("tab", { name: "Design" }).click();
  await expect(rows.nth(1)).toContainText("Manager");
  await expect(rows.nth(1)).not.toContainText("Line manager");
  // Styles are set as the Content-Security-Policy wants it, the canvas' too.
  expect(said).toEqual([]);
});

test("two write one draft, a line breaks, and what is wrong leads to its place", async ({
  page,
  request,
  context,
}) => {
  const name = title("Two at once");
  const { id } = await made(request, name);
  const headers = await headersOf(request, "admin");
  await signIn(page, "admin", `/settings/workflows/${id}`);
  const rows = outlineOf(page).locator("[data-row]");
  const panel = panelOf(page);
  await expect(page.getByText("As published, version 1")).toBeVisible();
  await rows.nth(2).click();
  await panel.getByLabel("Name").fill("Mine");
  await kept(page);

  // Somebody else goes on with it.
  const draft = (await (await request.get(`/api/v1/approval-workflows/${id}/draft`, { headers })).json()) as {
    draft_version: number;
    document: { stages: { name: string }[] };
  };
  const theirs = { ...draft.document, stages: [stage("Theirs")] };
  const answer = await request.put(`/api/v1/approval-workflows/${id}/draft`, {
    headers,
    data: { document: theirs, draft_version: draft.draft_version },
  });
  expect(answer.status()).toBe(200);
  await panel.getByLabel("Name").fill("Mine, too");
  const alert = page.getByRole("alert");
  await expect(alert.getByText("Somebody else changed this draft meanwhile")).toBeVisible();
  await alert.getByRole("button", { name: "Show theirs" }).click();
  await expect(rows).toHaveCount(2);
  await expect(rows.nth(1)).toContainText("Theirs");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(rows.nth(2)).toContainText("Mine, too");
  await kept(page);

  // Without a line nothing is lost, and nobody leaves unasked.
  await context.setOffline(true);
  await rows.nth(1).click();
  await panel.getByLabel("Name").fill("Written on a train");
  await expect(page.getByText(/^Offline: not saved yet/)).toBeVisible();
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Stay" }).click();
  await context.setOffline(false);
  await kept(page);
  await expect
    .poll(async () => {
      const now = await (await request.get(`/api/v1/approval-workflows/${id}/draft`, { headers })).json();
      return (now as typeof draft).document.stages[0]?.name;
    })
    .toBe("Written on a train");

  // Nobody to ask: told at the stage, and it cannot be published.
  await panel.getByRole("button", { name: /^Remove the requester's manager/ }).click();
  await expect(panel.getByRole("button", { name: "Add an approver" })).toBeFocused();
  const problem = page.getByRole("button", { name: /Written on a train, approvers:/ });
  await expect(problem).toBeVisible();
  await expect(rows.nth(1)).toContainText("Nobody yet");
  await rows.nth(0).click();
  await problem.click();
  await expect(panel.getByRole("heading", { name: "Stage 1" })).toBeVisible();
  await page.getByRole("button", { name: "Publish …" }).click();
  await expect(page.getByRole("dialog").getByText(/It cannot be published yet/)).toBeVisible();
  await expect(page.getByRole("dialog").getByRole("button", { name: "Publish", exact: true })).toBeDisabled();
  await page.keyboard.press("Escape");

  // Removed, and there again.
  await rows.nth(1).focus();
  await page.keyboard.press("Delete");
  await expect(rows).toHaveCount(2);
  await page.getByRole("button", { name: "Undo" }).first().click();
  await expect(rows).toHaveCount(3);
  await kept(page);

  // What is still on its way when one discards it all is waited for, and is no change of somebody else's.
  await page.route("**/draft", async (route) => {
    if (route.request().method() === "PUT") await new Promise((later) => setTimeout(later, 1500));
    await route.continue();
  });
  const onItsWay = page.waitForRequest((r) => r.method() === "PUT" && r.url().endsWith("/draft"));
  await rows.nth(1).click();
  await panel.getByLabel("Name").fill("Never to be seen");
  await onItsWay;

  await page.getByRole("button", { name: "More for this workflow" }).click();
  await page.getByRole("menuitem", { name: "Discard the draft" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard the draft" }).click();
  await expect(page.getByText("As published, version 1")).toBeVisible();
  await expect(rows.nth(1)).toContainText("Manager");
  await page.getByRole("button", { name: "More for this workflow" }).click();
  await page.getByRole("menuitem", { name: "Switch off" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Switch off" }).click();
  await expect(page.getByText("Switched off", { exact: true })).toBeVisible();
});

test("stages are put in another order with the pointer, and added between two", async ({ page, request }) => {
  const { id } = await made(request, title("Dragged"));
  await signIn(page, "admin", `/settings/workflows/${id}`);
  const canvas = page.getByRole("region", { name: "Canvas" });
  const rows = outlineOf(page).locator("[data-row]");
  await canvas.getByRole("button", { name: "Add a stage after stage 1" }).click();
  await expect(panelOf(page).getByLabel("Name")).toBeFocused();
  await page.keyboard.type("Between");
  await expect(rows.nth(2)).toContainText("Between");
  const from = await canvas.getByRole("button", { name: /^3 ?Second look/ }).boundingBox();
  const to = await canvas.getByRole("button", { name: /^1 ?Manager/ }).boundingBox();
  if (!from || !to) throw new Error("Nothing to drag.");
  await page.mouse.move(from.x + 60, from.y + 12);
  await page.mouse.down();
  await page.mouse.move(to.x + 60, to.y - 20, { steps: 12 });
  await page.mouse.up();
  await expect(rows.nth(1)).toContainText("Second look");
  await canvas.getByRole("button", { name: /^2 ?Manager/ }).click();
  await expect(panelOf(page).getByRole("heading", { name: "Stage 2" })).toBeVisible();
  await kept(page);
});

test("a file takes a workflow somewhere else", async ({ page, request }) => {
  const name = title("Taken away");
  const { id } = await made(request, name);
  await signIn(page, "admin", `/settings/workflows/${id}`);
  await page.getByRole("button", { name: "More for this workflow" }).click();
  const coming = page.waitForEvent("download");
  await page.getByRole("menuitem", { name: "Export as a file" }).click();
  const file = await (await coming).path();
  await page.goto("/settings/workflows");
  await page.getByRole("button", { name: `More for ${name}` }).click();
  await page.getByRole("menuitem", { name: "Duplicate" }).click();
  await expect(page.getByRole("heading", { level: 1, name: `${name} (copy)` })).toBeVisible();
  await expect(outlineOf(page).locator("[data-row]")).toHaveCount(3);
  await page.goto("/settings/workflows");
  await page.getByRole("button", { name: "Import" }).click();
  const dialog = page.getByRole("dialog", { name: "Import a workflow" });
  await dialog.locator("input[type='file']").setInputFiles({
    name: "notes.json",
    mimeType: "application/json",
    buffer: Buffer.from("not a workflow"),
  });
  await expect(dialog.getByText("“notes.json” is not a workflow's file.")).toBeVisible();
  await dialog.locator("input[type='file']").setInputFiles(file);
  await expect(dialog.getByText(`“${name}” is there already, and says the same.`)).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Import as a draft" })).toBeDisabled();
  const said = JSON.parse(await readFile(file, "utf8")) as { workflow: { name: string; stages: object[] } };
  said.workflow.name = `${name}, brought`;
  const bring = async (workflow: object) =>
    dialog.locator("input[type='file']").setInputFiles({
      name: "brought.json",
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify({ ...said, workflow })),
    });
  const stranger = stage("Somebody else", { approvers: [{ kind: "USER", username: "nobody.of.us" }] });
  await bring({ ...said.workflow, stages: [stranger] });
  await expect(dialog.getByText("It cannot be imported as it is:")).toBeVisible();
  await expect(dialog.getByText("/workflow/stages/0/approvers/0", { exact: false })).toBeVisible();
  await bring(said.workflow);
  await expect(dialog.getByText(/would be added as a draft/)).toBeVisible();
  await dialog.getByRole("button", { name: "Import as a draft" }).click();
  await expect(page.getByRole("heading", { level: 1, name: `${name}, brought` })).toBeVisible();
  await expect(page.getByText("Not published yet")).toBeVisible();
});

test("a request there is, and the last five hundred, are tried out before anything is in force", async ({
  page,
  request,
}) => {
  // A draft, which judges nothing: every other journey goes on as before.
  const hardware = { field: "ticket_type", op: "eq", value: "IT_HARDWARE" };
  const { id } = await made(request, title("Replayed"), {
    condition: { all: [hardware, { field: "title", op: "is_not_empty" }] },
    stages: [stage("Treasurer", { approvers: [{ kind: "ROLE", role: "finance_committee" }], quorum: "ANY" })],
    publish: false,
  });
  await signIn(page, "admin", `/settings/workflows/${id}?tab=replay`);
  await page.getByRole("button", { name: "Replay the last 500" }).click();
  const result = page.getByRole("region", { name: "What would have been different" });
  await expect(result).toBeFocused();
  await expect(result.getByText("looked at")).toBeVisible();
  const row = result.getByRole("row").filter({ hasText: "Treasurer" }).first();
  await expect(row).toContainText("Purchases by amount");
  await expect(row.getByRole("link", { name: /^ITH-/ })).toHaveAttribute("href", /^\/tickets\/\d+$/);
  await expect(result.getByRole("heading", { name: /^How often somebody would be asked/ })).toBeVisible();

  await page.getByRole("tab", { name: "Design" }).click();
  await page.getByRole("tab", { name: "Simulate" }).click();
  const tried = page.getByRole("region", { name: "Simulate" });
  await tried.getByRole("tab", { name: "Existing request" }).click();
  await tried.getByRole("button", { name: "Show the path" }).click();
  await expect(tried.getByText("Choose a request.")).toBeVisible();
  await tried.getByRole("combobox", { name: "Request" }).fill("ITH-");
  await page.getByRole("option", { name: /^ITH-/ }).first().click();
  await tried.getByRole("button", { name: "Show the path" }).click();
  await expect(tried.getByRole("group", { name: "The path" }).getByText("Treasurer")).toBeVisible();
});

test("who may only look, looks; others are told why not", async ({ browser, request }) => {
  const name = title("Looked at");
  const { id } = await made(request, name);
  const auditor = await as(browser, "auditor", `/settings/workflows/${id}`);
  await expect(auditor.getByRole("heading", { level: 1, name })).toBeVisible();
  await expect(auditor.getByRole("button", { name: "Publish …" })).toHaveCount(0);
  await outlineOf(auditor).locator("[data-row]").nth(1).click();
  await expect(panelOf(auditor).getByLabel("Name")).toBeDisabled();
  await auditor.context().close();
  const agent = await as(browser, "agent", `/settings/workflows/${id}`);
  await expect(agent.getByRole("heading", { name: "No access" })).toBeVisible();
  await agent.context().close();
  const admin = await as(browser, "admin", "/settings/workflows/999999999");
  await expect(admin.getByRole("heading", { name: "Not found" })).toBeVisible();
  await admin.context().close();
});

test("every screen of it is for everybody", async ({ page, request }) => {
  test.setTimeout(180_000);
  const { id } = await made(request, title("Seen"), {
    stages: [
      stage("Manager", {
        escalation: {
          remind_before_minutes: [60, 0],
          after_minutes: 60,
          to: { kind: "NEXT_MANAGER" },
          repeat: 2,
          finally: "REJECT",
        },
        judges: ["amount"],
      }),
      stage("Committee", {
        condition: { all: [{ field: "amount", op: "gte", value: "5000" }] },
        approvers: [{ kind: "ROLE", role: "finance_committee" }, { kind: "DEPARTMENT_HEAD" }],
        quorum: { percent: 60 },
        fallback: [{ kind: "MANAGER_LEVEL", level: 2 }],
      }),
    ],
  });
  await signIn(page, "admin", "/settings/workflows");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.goto(`/settings/workflows/${id}`);
  const canvas = page.getByRole("region", { name: "Canvas" });
  await expect(canvas.getByRole("button", { name: /Committee/ }).first()).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await outlineOf(page).locator("[data-row]").nth(1).click();
  await expect(panelOf(page).getByText("After 2 days: due, with a reminder")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("tab", { name: "Simulate" }).click();
  await page.getByRole("button", { name: "Show the path" }).click();
  await expect(page.getByRole("group", { name: "The path" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  for (const tab of ["Replay", "Versions"]) {
    await page.getByRole("tab", { name: tab }).click();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await expectNoViolationsInBothThemes(page);
  }
  await page.setViewportSize({ width: 768, height: 1024 });
  await page.getByRole("tab", { name: "Canvas" }).click();
  await expect(canvas.getByRole("button", { name: /Committee/ }).first()).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 320, height: 640 });
  for (const tab of ["Canvas", "Simulate", "Replay", "Versions", "Outline"]) {
    await page.getByRole("tab", { name: tab }).click();
    await test.step(tab, () => expectNoSidewaysScroll(page));
  }
  await outlineOf(page).locator("[data-row]").nth(2).click();
  await expect(page.getByRole("dialog", { name: "Committee" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await expectNoSidewaysScroll(page);
  await page.keyboard.press("Escape");
  await expect(outlineOf(page).locator("[data-row]").nth(2)).toBeFocused();
});
