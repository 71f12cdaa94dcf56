/** Who will be asked: on the form before it is sent, and on the ticket from then on. */
import { expect, test, type APIRequestContext } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  PASSWORD,
  signIn,
  title,
} from "./support";

async function tokenOf(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const answer = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  return { Authorization: `Bearer ${(await answer.json()).access_token}` };
}

test("the path changes with the amount, and what is created equals it", async ({ page }) => {
  await signIn(page, "employee", "/new/IT_HARDWARE");
  const path = page.getByRole("region", { name: "Who will be asked" });
  await expect(path.getByText("Goes to Mike Okafor,", { exact: false }).first()).toBeVisible();
  await expect(path.getByText("depends on the amount").first()).toBeVisible();

  await page.getByLabel("Amount").fill("4999.99");
  await expect(path.getByRole("listitem").filter({ hasText: "Henrik Lindqvist" }).first()).toBeVisible();
  await page.getByLabel("Amount").fill("5000.01");
  await expect(path.getByRole("status")).toHaveText(
    "Goes to Finance Committee (2 of 3), because the amount is above 5,000.",
  );
  // Half an amount is none, and the words do not flicker away meanwhile.
  await page.getByLabel("Amount").fill("5000.01x");
  await expect(path.getByRole("status")).toHaveText(/^Goes to Mike Okafor/);
  await page.getByLabel("Amount").fill("5000.01");
  await expect(path.getByRole("status")).toHaveText(/^Goes to Finance Committee/);
  const PEOPLE = ["Farah Haddad", "Felix Moreau", "Fiona Walsh"];
  for (const name of PEOPLE) await expect(path.getByText(name, { exact: true })).toBeVisible();

  await page.getByLabel("Title").fill(title("Server"));
  await page.getByLabel("Budget code").fill("MKT-1");
  await page.getByLabel("Justification").fill("It is full");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
  const flow = page.getByRole("region", { name: "Approval" });
  for (const name of PEOPLE) await expect(flow.getByText(name, { exact: true })).toBeVisible();
});

test("who is away is named, until when", async ({ page, request }) => {
  const headers = await tokenOf(request, "head");
  const me = await (await request.get("/api/v1/auth/me", { headers })).json();
  const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const data = { user_id: me.id, starts_at: at(-1), ends_at: at(9), reason: "Holiday" };
  const made = await request.post("/api/v1/absences", { headers, data });
  try {
    await signIn(page, "employee", "/new/IT_HARDWARE");
    await page.getByLabel("Amount").fill("2000");
    const path = page.getByRole("region", { name: "Who will be asked" });
    await expect(path.getByText(/^Away until /)).toBeVisible();
    await expect(path.getByRole("status")).toContainText("Henrik Lindqvist is away until ");
  } finally {
    if (made.ok()) await request.delete(`/api/v1/absences/${(await made.json()).id}`, { headers });
  }
});

test("a rule's workflow is shown on the form, and asked once the rule has heard of it", async ({
  page,
  request,
}) => {
  const name = title("Board");
  const { id: headId } = await call(request, "head", "/auth/me");
  const never = { field: "title", op: "eq", value: name };
  const board = await call(request, "admin", "/approval-workflows", {
    name,
    condition: { all: [never, { field: "amount", op: "eq", value: "0.01" }] },
    stages: [{ name: "Board", approvers: [{ kind: "USER", user_id: headId }] }],
  });
  const rule = await call(request, "admin", "/automation/rules", {
    name,
    trigger: { on: "SUBMITTED" },
    condition: { field: "title", op: "contains", value: name },
    actions: [{ do: "START_APPROVAL", workflow_id: board.id }],
  });
  try {
    await signIn(page, "employee", "/new/IT_HARDWARE");
    const path = page.getByRole("region", { name: "Who will be asked" });
    await expect(path.getByRole("status")).toHaveText(/^Goes to Mike Okafor/);
    await page.getByLabel("Title").fill(`Desk for ${name}`);
    await expect(path.getByRole("status")).toHaveText("Goes to Henrik Lindqvist.");
    await page.getByLabel("Amount").fill("40");
    await page.getByLabel("Budget code").fill("MKT-1");
    await page.getByLabel("Justification").fill("The old one is broken");
    await page.getByRole("button", { name: "Submit" }).click();
    await page.waitForURL(/\/tickets\/\d+$/);
    const flow = page.getByRole("region", { name: "Approval" });
    await expect(flow.getByText("Henrik Lindqvist", { exact: true }).first()).toBeVisible({
      timeout: 20_000,
    });
  } finally {
    const headers = await tokenOf(request, "admin");
    await request.delete(`/api/v1/automation/rules/${String(rule.id)}`, { headers });
    const off = { is_active: false, version: board.version };
    await request.put(`/api/v1/approval-workflows/${String(board.id)}/active`, { headers, data: off });
  }
});

test("what needs nobody's approval says so", async ({ page }) => {
  await signIn(page, "employee", "/new/IT_SUPPORT");
  const path = page.getByRole("region", { name: "Who will be asked" });
  await expect(path.getByRole("status")).toHaveText(/^Nobody's approval is needed/);
});

async function call(
  request: APIRequestContext,
  username: string,
  path: string,
  data?: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const headers = await tokenOf(request, username);
  const answer = data
    ? await request.post(`/api/v1${path}`, { headers, data })
    : await request.get(`/api/v1${path}`, { headers });
  expect(answer.ok(), await answer.text()).toBeTruthy();
  return answer.json();
}
interface Queued {
  id: number;
  ticket: { id: number };
}
async function stepOf(request: APIRequestContext, username: string, ticketId: number): Promise<number> {
  const queue = await call(request, username, "/approvals/pending?limit=100");
  return (queue.items as Queued[]).find((i) => i.ticket.id === ticketId)?.id ?? 0;
}
const hardware = (amount: string) => ({
  title: title("Server"),
  ticket_type: "IT_HARDWARE",
  custom_fields: { budget_code: "MKT-1", justification: "It is full" },
  amount,
  currency: "USD",
  submit: true,
});

test("an edit says whom it asks again before it is saved, and the flow keeps what was said", async ({
  page,
  request,
}) => {
  const ticket = await call(request, "employee", "/tickets", hardware("6000.00"));
  const id = Number(ticket.id);
  const step = await stepOf(request, "finance1", id);
  await call(request, "finance1", `/approvals/${step}/approve`, { comments: "Fits the budget" });

  await signIn(page, "employee", `/tickets/${id}`);
  const flow = page.getByRole("region", { name: "Approval" });
  await expect(flow.getByText("Fits the budget")).toBeVisible();
  await expect(flow.getByText(/1 yes so far/)).toBeVisible();
  await expect(flow.getByText("only when amount is above 5,000")).toHaveCount(0);

  await page.getByRole("button", { name: "Edit", exact: true }).click();
  const edit = page.getByRole("dialog");
  await edit.getByLabel("Justification").fill("It is very full");
  await expect(edit.getByRole("status")).toHaveText(/again/);
  await edit.getByLabel("Justification").fill("It is full");
  await edit.getByLabel("Title").fill(`${String(ticket.title)} please`);
  await expect(edit.getByRole("status")).toHaveText("Nobody is asked again.");
  await edit.getByLabel("Amount").fill("7000");
  await expect(edit.getByRole("status")).toContainText("Saving asks “Finance Committee” again, because the ");
  await expectNoViolations(page);
  await edit.getByRole("button", { name: "Save" }).click();
  await expect(edit).toBeHidden();

  const again = flow.getByText(/^Asked again, because/);
  await expect(again).toBeVisible();
  await expect(flow.getByText("Fits the budget")).toBeHidden();
  await again.click();
  await expect(flow.getByText("Fits the budget")).toBeVisible();
  await expectNoViolations(page);
});

test("a property changed where it stands says first whom it asks again", async ({ page, request }) => {
  const ticket = await call(request, "employee", "/tickets", hardware("40.00"));
  await signIn(page, "employee", `/tickets/${Number(ticket.id)}`);
  const details = page.getByRole("region", { name: "Details" });
  const choose = async (priority: string) => {
    await details.getByRole("button", { name: /^Change Priority/ }).click();
    await page.getByRole("option", { name: priority, exact: true }).click();
  };
  const question = page.getByRole("dialog", { name: "What this does to the approval" });
  await choose("Critical");
  await expect(question.getByRole("status")).toContainText("starts the approval again from the beginning");
  await expectNoViolations(page);
  await question.getByRole("button", { name: "Leave it as it was" }).click();
  await expect(question).toBeHidden();
  await expect(details.getByText("Medium")).toBeVisible();

  await choose("Low");
  await expect(page.getByText(/Priority is now Low/).first()).toBeVisible();
  await expect(question).toBeHidden();

  await choose("Critical");
  await question.getByRole("button", { name: "Change it" }).click();
  await expect(page.getByText(/Priority is now Critical/).first()).toBeVisible();
  const flow = page.getByRole("region", { name: "Approval" });
  await expect(flow.getByText("the first answer counts", { exact: false }).first()).toBeVisible();
});

test("a question and its answer, one more approver, an override, each where everybody sees it", async ({
  browser,
  request,
}) => {
  test.setTimeout(90_000);
  const ticket = await call(request, "employee", "/tickets", hardware("30.00"));
  const id = Number(ticket.id);
  const step = await stepOf(request, "manager", id);
  await call(request, "manager", `/approvals/${step}/request-info`, { comments: "Which model?" });

  const page = await as(browser, "employee", `/tickets/${id}`);
  const flow = page.getByRole("region", { name: "Approval" });
  await expect(flow.getByText("Which model?")).toBeVisible();
  await flow.getByRole("button", { name: "Answer the question" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("The light one");
  await page.getByRole("dialog").getByRole("button", { name: "Answer" }).click();
  await expect(flow.getByText("The light one")).toBeVisible();
  await expect(flow.getByRole("button", { name: "Override" })).toHaveCount(0);

  const manager = await as(browser, "manager", `/tickets/${id}`);
  const theirs = manager.getByRole("region", { name: "Approval" });
  await manager.getByRole("button", { name: "More ways to decide" }).click();
  await manager.getByRole("menuitem", { name: "Add an approver" }).click();
  const form = manager.getByRole("form", { name: "Add an approver" });
  await expect(form.getByLabel("Who decides as well")).toBeFocused();
  await expectNoViolations(manager);
  await form.getByLabel("Who decides as well").fill("Lindqvist");
  await manager.getByRole("option", { name: /Henrik Lindqvist/ }).click();
  await form.getByRole("button", { name: "Add an approver" }).click();
  await expect(form).toBeHidden();
  await expect(theirs.getByText("Henrik Lindqvist")).toBeVisible();

  const admin = await as(browser, "admin", `/tickets/${id}`);
  const all = admin.getByRole("region", { name: "Approval" });
  await all.getByRole("button", { name: "Override" }).click();
  const past = admin.getByRole("dialog", { name: "Override the approvers" });
  await expect(past.getByRole("button", { name: "Approve by override" })).toBeDisabled();
  await past.getByLabel("Reason").fill("Both are at the off-site");
  await expectNoViolations(admin);
  await past.getByRole("button", { name: "Approve by override" }).click();
  await expect(all.getByText("Approved by Ada Brandt, overriding the approvers")).toBeVisible();
  await expect(all.getByText("Both are at the off-site")).toBeVisible();
  await expect(flow.getByText("Approved by Ada Brandt, overriding the approvers")).toBeVisible();
});

test("the requester takes it back from its flow", async ({ page, request }) => {
  const ticket = await call(request, "employee", "/tickets", hardware("40.00"));
  await signIn(page, "employee", `/tickets/${Number(ticket.id)}`);
  const flow = page.getByRole("region", { name: "Approval" });
  await flow.getByRole("button", { name: "Withdraw the request" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Withdraw" }).click();
  await expect(page.getByText("Draft").first()).toBeVisible();
  await expect(flow.getByText("Cancelled").first()).toBeVisible();
  expect(await stepOf(request, "manager", Number(ticket.id))).toBe(0);
});

test("fits a phone and is readable by everybody", async ({ browser }) => {
  const page = await as(browser, "employee", "/new/IT_HARDWARE");
  await page.setViewportSize({ width: 320, height: 700 });
  await page.getByLabel("Amount").fill("6000");
  const path = page.getByRole("region", { name: "Who will be asked" });
  await expect(path.getByRole("status")).toHaveText(/Finance Committee/);
  await path.getByText("2 other stages do not apply").click();
  await expectNoSidewaysScroll(page);
  await expectNoViolationsInBothThemes(page);

  await page.goto("/tickets/1");
  await page.getByRole("tab", { name: "Approval" }).click();
  await expect(page.getByRole("tab", { name: "Approval" })).toHaveAttribute("aria-selected", "true");
  await expectNoSidewaysScroll(page);
  await expectNoViolationsInBothThemes(page);
});
