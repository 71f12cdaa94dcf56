/** The approver's queue: the specification's Scenario 2, second thoughts, what changes meanwhile, keys, phone. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, PASSWORD, signIn, title } from "./support";

async function entered(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const answer = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  return { Authorization: `Bearer ${((await answer.json()) as { access_token: string }).access_token}` };
}

let made = 0;
const kinds: string[] = [];
test.afterEach(async ({ request }) => {
  // what is asked for most stands on the first page: there these would crowd out the kinds others look for
  const headers = await entered(request, "admin");
  for (const key of kinds.splice(0)) {
    const at = `/api/v1/ticket-types/${key}`;
    const { name, form, version } = (await (await request.get(at, { headers })).json()) as Record<
      string,
      unknown
    >;
    const off = { name, form, version, is_active: false };
    expect((await request.put(at, { headers, data: off })).status()).toBe(200);
  }
});
/** A kind of request of one's own, which the requester's manager decides; so the queue can show it alone. */
async function kind(request: APIRequestContext): Promise<string> {
  const admin = await entered(request, "admin");
  made += 1;
  const key = `Q_${Date.now().toString(36)}${process.pid.toString(36)}${made}`.toUpperCase();
  kinds.push(key);
  const form = { type: "object", properties: {} };
  const type = { key, name: `Purchase ${key}`, form, has_amount: true };
  expect((await request.post("/api/v1/ticket-types", { headers: admin, data: type })).status()).toBe(201);
  const workflow = {
    name: `Purchases ${key}`,
    condition: { all: [{ field: "ticket_type", op: "eq", value: key }] },
    stages: [{ name: "Manager", approvers: [{ kind: "REQUESTER_MANAGER" }] }],
  };
  const answer = await request.post("/api/v1/approval-workflows", { headers: admin, data: workflow });
  expect(answer.status()).toBe(201);
  return key;
}

interface Asked {
  id: number;
  title: string;
}
async function ask(
  request: APIRequestContext,
  key: string,
  what: string,
  amount: string,
  more: Record<string, unknown> = {},
): Promise<Asked> {
  const headers = await entered(request, "employee");
  const data = { title: what, ticket_type: key, custom_fields: {}, amount, currency: "USD", submit: true };
  const answer = await request.post("/api/v1/tickets", { headers, data: { ...data, ...more } });
  expect(answer.status(), await answer.text()).toBe(201);
  return (await answer.json()) as Asked;
}
async function edit(
  request: APIRequestContext,
  ticket: Asked,
  change: Record<string, unknown>,
): Promise<void> {
  const headers = await entered(request, "employee");
  const read = await request.get(`/api/v1/tickets/${ticket.id}`, { headers });
  const { version } = (await read.json()) as { version: number };
  const answer = await request.put(`/api/v1/tickets/${ticket.id}`, { headers, data: { ...change, version } });
  expect(answer.status()).toBe(200);
}
async function statusOf(request: APIRequestContext, ticket: Asked): Promise<string> {
  const headers = await entered(request, "employee");
  const answer = await request.get(`/api/v1/tickets/${ticket.id}`, { headers });
  return ((await answer.json()) as { status: string }).status;
}
const becomes = (request: APIRequestContext, ticket: Asked, status: string) =>
  expect.poll(() => statusOf(request, ticket), { timeout: 15_000 }).toBe(status);
const card = (page: Page, what: string) => page.getByRole("heading", { level: 2, name: what, exact: true });
const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name, exact: true });

const DAY = 86_400_000;
const dayIn = (days: number) => new Date(Date.now() + days * DAY).toLocaleDateString("sv"); // as a date field takes it
async function endDelegations(request: APIRequestContext): Promise<void> {
  const headers = await entered(request, "manager");
  const answer = await request.get("/api/v1/approvals/delegations?limit=100", { headers });
  const { items } = (await answer.json()) as { items: { id: number }[] };
  for (const { id } of items) await request.delete(`/api/v1/approvals/delegations/${id}`, { headers });
}

test("Scenario 2: twelve wait, eight are approved at once, three one by one, one is asked back, next week a deputy decides", async ({
  page,
  request,
}, info) => {
  test.skip(info.project.name !== "desktop");
  test.setTimeout(90_000);
  const key = await kind(request);
  const routine: Asked[] = [];
  for (const n of [1, 2, 3, 4, 5, 6, 7, 8])
    routine.push(await ask(request, key, title(`Routine ${n}`), `${n}00.10`));
  const large: Asked[] = [];
  for (const n of [1, 2, 3]) large.push(await ask(request, key, title(`Large ${n}`), `${n + 5}000.00`));
  const unclear = await ask(request, key, title("Unclear"), "40.00", { priority: "LOW" });

  await signIn(page, "manager", "/");
  await page
    .getByRole("link", { name: /Approvals/ })
    .first()
    .click();
  await page.getByRole("combobox", { name: "Show" }).click();
  await page.getByRole("option", { name: `Purchase ${key} (12)` }).click();
  await expect(page).toHaveURL(new RegExp(`type=${key}`));
  await expect(
    page.getByRole("list", { name: "Waiting for your decision" }).getByRole("listitem"),
  ).toHaveCount(12);

  await button(page, "Select 9 routine ones").click();
  await page.getByRole("checkbox", { name: `Select ${unclear.title}` }).uncheck();
  await button(page, "Approve 8").click();
  const summary = page.getByRole("dialog");
  await expect(summary.getByText("$3,600.80")).toBeVisible();
  await expect(summary.getByText("Jane Doe × 8")).toBeVisible();
  await expect(summary.getByText("3 are left out and decided one by one")).toBeVisible();
  await expect(summary.getByText("Large amount: decided on its own")).toHaveCount(3);
  await summary.getByRole("button", { name: "Approve 8" }).click();
  await expect(summary.getByText("8 approved")).toBeVisible();
  await summary.getByRole("button", { name: "Close" }).last().click();
  for (const ticket of routine) expect(await statusOf(request, ticket)).toBe("APPROVED");
  await expect(
    page.getByRole("list", { name: "Waiting for your decision" }).getByRole("listitem"),
  ).toHaveCount(4);

  for (const ticket of large) {
    await expect(card(page, ticket.title)).toBeVisible();
    await expect(page.getByText("Worth more than $5,000.00: decided on its own")).toBeVisible();
    await page.keyboard.press("a");
    await expect(page.getByText(`Approved: ${ticket.title}`).first()).toBeVisible();
  }
  await expect(card(page, unclear.title)).toBeFocused();
  await page.keyboard.press("i");
  await page.getByLabel("Your question").fill("What is it for?");
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("heading", { name: "Nothing of this waits for you" })).toBeVisible();
  for (const ticket of large) await becomes(request, ticket, "APPROVED");
  await becomes(request, unclear, "PENDING_INFO");
  await expect(page.getByText("waits for an answer")).toBeVisible({ timeout: 15_000 });

  await endDelegations(request);
  await page.getByRole("link", { name: "While I am away" }).click();
  await page.getByRole("button", { name: "Let somebody decide for you" }).click();
  const form = page.getByRole("dialog");
  await form.getByRole("combobox", { name: "Who decides" }).fill("Carlos");
  await page.getByRole("option", { name: "Carlos Reyes" }).click();
  await form.getByLabel("First day").fill(dayIn(7));
  await form.getByLabel("Last day").fill(dayIn(11));
  await form.getByRole("button", { name: "Let them decide" }).click();
  await expect(form).toBeHidden();
  const deputies = page.getByRole("region", { name: "Who decides for you" });
  await expect(deputies.getByText("Carlos Reyes").first()).toBeVisible();
  await expect(deputies.getByText("Planned")).toBeVisible();
  await endDelegations(request);
});

test("many are rejected with one reason; each tells what became of it", async ({ page, request }, info) => {
  test.skip(info.project.name !== "desktop");
  const key = await kind(request);
  const two = [
    await ask(request, key, title("Twice"), "10.00"),
    await ask(request, key, title("Twice"), "20.00"),
  ];
  const third = await ask(request, key, title("Thrice"), "30.00");
  await signIn(page, "manager", `/approvals?type=${key}`);
  await button(page, "Select 3 routine ones").click();
  await button(page, "Reject 3").click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Reject 3" })).toBeDisabled();
  await dialog.getByLabel("Reason").fill("Not this year");
  await edit(request, third, { title: `${third.title}, now with a crane` });
  await dialog.getByRole("button", { name: "Reject 3" }).click();
  await expect(dialog.getByText("2 rejected")).toBeVisible();
  await expect(dialog.getByText("The request was changed since you looked at it.")).toBeVisible();
  await dialog.getByRole("button", { name: "Look" }).click();
  await expect(card(page, `${third.title}, now with a crane`)).toBeVisible();
  await expect(
    page.getByRole("region", { name: "What was changed" }).getByText(", now with a crane"),
  ).toBeVisible();
  for (const ticket of two) expect(await statusOf(request, ticket)).toBe("REJECTED");
  expect(await statusOf(request, third)).toBe("IN_REVIEW");
});

test("a decision can be taken back, and its words are still there", async ({ page, request }, info) => {
  const key = await kind(request);
  const [one, two] = [
    await ask(request, key, title("One"), "10.00"),
    await ask(request, key, title("Two"), "20.00"),
  ];
  await signIn(page, "manager", `/approvals?type=${key}`);
  await expect(card(page, one.title)).toBeVisible();
  await button(page, "Reject").click();
  await page.getByLabel("Reason").fill("Too dear");
  await page.getByRole("form", { name: "Reject" }).getByRole("button", { name: "Reject" }).click();
  await expect(card(page, two.title)).toBeFocused();
  await expect(page.getByText(`Rejected: ${one.title}`).first()).toBeVisible();
  const undo = button(page, `Undo: ${one.title}`);
  if (info.project.name === "phone") expect((await undo.boundingBox())?.height).toBeGreaterThanOrEqual(43.9);
  await undo.click();
  await expect(card(page, one.title)).toBeVisible();
  await expect(page.getByLabel("Reason")).toHaveValue("Too dear");
  await button(page, "Cancel").click();
  await button(page, "Approve").click();
  await expect(card(page, two.title)).toBeVisible();
  expect(await statusOf(request, one)).toBe("IN_REVIEW");
  await becomes(request, one, "APPROVED");
  await expect(undo).toHaveCount(0);
});

test("a request that changes before the decision arrives comes back with the difference", async ({
  page,
  request,
}) => {
  const key = await kind(request);
  const ticket = await ask(request, key, title("A chair"), "10.00");
  await ask(request, key, title("A table"), "20.00");
  await signIn(page, "manager", `/approvals?type=${key}`);
  await expect(card(page, ticket.title)).toBeVisible();
  await button(page, "Approve").click();
  await expect(page.getByText(`Approved: ${ticket.title}`).first()).toBeVisible();
  await edit(request, ticket, { description: "With a motor and a heater" });
  const refused = page.getByRole("alert").filter({ hasText: `Not decided: ${ticket.title}` });
  await expect(refused).toBeVisible({ timeout: 15_000 });
  await refused.getByRole("link", { name: "Look" }).click();
  await expect(card(page, ticket.title)).toBeVisible();
  const change = page.getByRole("region", { name: "What was changed" });
  await expect(change.getByText("so nothing was decided")).toBeVisible();
  await expect(change.getByText("With a motor and a heater")).toBeVisible();
  await expect(button(page, "Approve")).toHaveCount(0);
  await expectNoViolations(page);
  await button(page, "I have read the change").click();
  await expect(refused).toHaveCount(0);
  await button(page, "Approve").click();
  await becomes(request, ticket, "APPROVED");
});

test("what is decided leaves with the page, and from every page it can be taken back", async ({
  page,
  request,
}) => {
  const key = await kind(request);
  const [one, two] = [
    await ask(request, key, title("Leaves"), "10.00"),
    await ask(request, key, title("Stays"), "20.00"),
  ];
  await signIn(page, "manager", `/approvals?type=${key}`);
  await button(page, "Approve").click();
  await expect(card(page, two.title)).toBeVisible();
  await page.goto("about:blank");
  await becomes(request, one, "APPROVED");
  await page.goto(`/tickets/${two.id}`);
  await page
    .getByRole("region", { name: "Your decision is needed" })
    .getByRole("button", { name: "Approve" })
    .click();
  await expect(page.getByRole("region", { name: "Your decision is needed" })).toHaveCount(0);
  await page
    .getByRole("link", { name: /Dashboard|Home/ })
    .first()
    .click();
  await button(page, `Undo: ${two.title}`).click();
  await page
    .getByRole("link", { name: /Approvals/ })
    .first()
    .click();
  await expect(page.getByRole("article")).toBeVisible();
  expect(await statusOf(request, two)).toBe("IN_REVIEW");
});

test("what others decide says so, where it stood", async ({ page, request }) => {
  const what = title("Video wall");
  const ticket = await ask(request, "IT_HARDWARE", what, "9000.00", {
    custom_fields: { budget_code: "M-1", justification: "For the lobby" },
  });
  await signIn(page, "finance3", `/approvals?ticket=${ticket.id}`);
  await expect(card(page, what)).toBeVisible();
  await expect(page.getByText("2 of 3 must agree")).toBeVisible();
  for (const name of ["finance1", "finance2"]) {
    const headers = await entered(request, name);
    const queue = await request.get("/api/v1/approvals/pending?limit=100", { headers });
    const { items } = (await queue.json()) as { items: { id: number; ticket: { id: number } }[] };
    const step = items.find((item) => item.ticket.id === ticket.id);
    await request.post(`/api/v1/approvals/${step?.id}/approve`, { headers, data: {} });
  }
  await expect(page.getByText("This request no longer waits for you")).toBeVisible({ timeout: 15_000 });
  await expect(card(page, what)).toBeVisible();
  await expect(page.getByRole("status").filter({ hasText: "Felix" })).toBeVisible();
  await expect(button(page, "Approve")).toHaveCount(0);
});

test("keys decide, and none while one types", async ({ page, request }, info) => {
  test.skip(info.project.name !== "desktop");
  const key = await kind(request);
  const list: Asked[] = [];
  for (const n of [1, 2, 3]) list.push(await ask(request, key, title(`Key ${n}`), `${n}0.00`));
  const [one, two, three] = list as [Asked, Asked, Asked];
  await signIn(page, "manager", `/approvals?type=${key}`);
  await expect(card(page, one.title)).toBeVisible();
  await page.keyboard.press("j");
  await expect(card(page, two.title)).toBeVisible();
  await page.keyboard.press("x");
  await expect(page.getByRole("checkbox", { name: `Select ${two.title}` })).toBeChecked();
  await page.keyboard.press("k");
  await page.keyboard.press("r");
  await page.keyboard.type("a r i j"); // words, not keys
  await expect(page.getByLabel("Reason")).toHaveValue("a r i j");
  await page.keyboard.press("Escape");
  await expect(button(page, "Reject")).toBeFocused();
  await page.keyboard.press("d");
  await expect(page.getByRole("form", { name: "Delegate" }).getByRole("combobox")).toBeFocused();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.keyboard.press("a");
  await expect(card(page, two.title)).toBeFocused();
  await page.keyboard.press("u");
  await expect(card(page, one.title)).toBeVisible();
  await page.keyboard.press("e");
  await page.getByRole("form", { name: "Escalate" }).getByLabel("Comment (optional)").fill("Above my head");
  await page.keyboard.press("Control+Enter");
  await expect(card(page, two.title)).toBeFocused();
  await page.keyboard.press("?");
  for (const words of ["Approve", "Ask back", "Take the last decision back", "Open the ticket"])
    await expect(page.getByRole("dialog").getByText(words, { exact: true })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.press("j");
  await expect(card(page, three.title)).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/tickets/${three.id}`);
});

test("handing on can be taken back; who cannot decide it is refused with the words kept", async ({
  page,
  request,
}, info) => {
  test.skip(info.project.name !== "desktop");
  test.setTimeout(90_000);
  const key = await kind(request);
  const ticket = await ask(request, key, title("Hand on"), "10.00");
  await signIn(page, "manager", `/approvals?type=${key}`);
  await expect(card(page, ticket.title)).toBeVisible();
  const form = page.getByRole("form", { name: "Delegate" });
  await page.keyboard.press("d");
  await form.getByRole("combobox").fill("Carlos");
  await page.getByRole("option", { name: /Carlos Reyes/ }).click();
  await form.getByLabel("Comment (optional)").fill("You know the supplier");
  await form.getByRole("button", { name: "Delegate" }).click();
  await expect(page.getByText(`Delegated: ${ticket.title}`).first()).toBeVisible();
  await page.getByRole("button", { name: `Undo: ${ticket.title}` }).click();
  await expect(form.getByLabel("Comment (optional)")).toHaveValue("You know the supplier");
  await expect(form.getByRole("combobox")).toHaveValue("Carlos Reyes");

  await form.getByRole("combobox").fill("Jane");
  await page.getByRole("option", { name: /Jane Doe/ }).click();
  await form.getByRole("button", { name: "Delegate" }).click();
  await expect(page.getByText(`Not handed on: ${ticket.title}.`)).toBeVisible({ timeout: 15_000 });
  await expect(card(page, ticket.title)).toBeVisible();
  await expect(form.getByLabel("Comment (optional)")).toHaveValue("You know the supplier");

  await form.getByRole("combobox").fill("Carlos");
  await page.getByRole("option", { name: /Carlos Reyes/ }).click();
  await form.getByRole("button", { name: "Delegate" }).click();
  await expect(page.getByRole("heading", { name: "Nothing of this waits for you" })).toBeVisible();
  await expect(page.getByRole("button", { name: `Undo: ${ticket.title}` })).toBeHidden({ timeout: 15_000 });
  const carlos = await as(page.context().browser()!, "colleague", `/approvals?ticket=${ticket.id}`);
  await expect(carlos.getByText("You decide for Mike Okafor")).toBeVisible();

  await page.goto(`/approvals?ticket=${ticket.id}`);
  await expect(page.getByRole("heading", { name: "This request does not wait for you" })).toBeFocused();
  await expect(page.getByText("It was handed on and waits for Carlos Reyes.")).toBeVisible();
});

test("a link from a mail shows its own request or what became of it, and no other in its stead", async ({
  page,
  request,
}, info) => {
  test.skip(info.project.name !== "desktop");
  const key = await kind(request);
  const [done, waits] = [
    await ask(request, key, title("Decided"), "10.00"),
    await ask(request, key, title("Waits"), "20.00"),
  ];
  const headers = await entered(request, "manager");
  const pending = await request.get(`/api/v1/approvals/pending?ticket_type=${key}`, { headers });
  const { items } = (await pending.json()) as { items: { id: number; ticket: { id: number } }[] };
  const step = items.find((item) => item.ticket.id === done.id);
  const said = await request.post(`/api/v1/approvals/${step?.id}/approve`, { headers, data: {} });
  expect(said.status()).toBe(200);

  await signIn(page, "manager", `/approvals?ticket=${waits.id}`);
  await expect(card(page, waits.title)).toBeVisible();
  await page.goto(`/approvals?ticket=${done.id}`);
  const missed = page.getByRole("region", { name: "This request does not wait for you" });
  await expect(missed.getByText(/^You approved it /)).toBeVisible();
  await expect(missed.getByText(done.title)).toBeVisible();
  await expect(button(page, "Approve")).toHaveCount(0);
  await page.keyboard.press("a");
  await expect(missed).toBeVisible();
  await expectNoViolations(page);
  await page.reload();
  await expect(missed).toBeVisible();
  await missed.getByRole("button", { name: "Go on with what waits" }).click();
  await expect(button(page, "Approve")).toBeVisible();
  await expect(page).not.toHaveURL(/ticket=/);

  const outsider = await as(page.context().browser()!, "outsider", `/approvals?ticket=${done.id}`);
  await expect(outsider.getByText(/You may not see it\./)).toBeVisible();
  await expect(outsider.getByText(done.title)).toHaveCount(0);
});

test("one more person is asked from the queue, and it stays one's own", async ({ page, request }, info) => {
  test.skip(info.project.name !== "desktop");
  const key = await kind(request);
  const ticket = await ask(request, key, title("Together"), "10.00");
  await signIn(page, "manager", `/approvals?type=${key}`);
  await expect(card(page, ticket.title)).toBeVisible();
  await button(page, "More ways to decide").click();
  await page.getByRole("menuitem", { name: "Add an approver" }).click();
  const form = page.getByRole("form", { name: "Add an approver" });
  await form.getByLabel("Who decides as well").fill("Carlos");
  await page.getByRole("option", { name: /Carlos Reyes/ }).click();
  await form.getByRole("button", { name: "Add an approver" }).click();
  await expect(form).toBeHidden();
  await expect(card(page, ticket.title)).toBeVisible();
  await expect(page.getByText(/Also asked: Carlos Reyes/)).toBeVisible();
  await expect(button(page, "Approve")).toBeVisible();
});

test("without a connection nothing is decided", async ({ page, request }) => {
  const key = await kind(request);
  await ask(request, key, title("Offline"), "10.00");
  await signIn(page, "manager", `/approvals?type=${key}`);
  await expect(button(page, "Approve")).toBeEnabled();
  await page.context().setOffline(true);
  await expect(page.getByText("Decisions can be made when the connection is back")).toBeVisible();
  await expect(button(page, "Approve")).toBeDisabled();
  await page.context().setOffline(false);
  await expect(button(page, "Approve")).toBeEnabled();
});

test("approving many on a phone", async ({ page, request }, info) => {
  test.skip(info.project.name !== "phone");
  const key = await kind(request);
  const two = [
    await ask(request, key, title("Pocket"), "10.00"),
    await ask(request, key, title("Pocket"), "20.00"),
  ];
  await ask(request, key, title("Vault"), "9000.00");
  await signIn(page, "manager", `/approvals?type=${key}`);
  await page.getByRole("button", { name: "Approve 2 at once" }).tap();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("$30.00")).toBeVisible();
  await expectNoSidewaysScroll(page);
  await dialog.getByRole("button", { name: "Approve 2" }).tap();
  await expect(dialog.getByText("2 approved")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().tap();
  for (const ticket of two) expect(await statusOf(request, ticket)).toBe("APPROVED");
  await expect(page.getByText("1 of 1")).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the queue, an emergency, what is confidential, the summary and the way back", async ({
      page,
      request,
    }, info) => {
      test.setTimeout(90_000);
      const key = await kind(request);
      for (const [what, more] of [
        ["Fire", { priority: "CRITICAL" }],
        ["Secret", { is_confidential: true, priority: "HIGH" }],
        ["Plain", {}],
      ] as const)
        await ask(request, key, title(what), "10.00", more);
      await signIn(page, "manager", `/approvals?type=${key}`);
      await expect(page.getByText("Emergency: the first answer counts")).toBeVisible();
      await expectNoViolations(page);
      for (const width of info.project.name === "phone" ? [320] : [1440, 768]) {
        await page.setViewportSize({ width, height: 900 });
        await expectNoSidewaysScroll(page);
      }
      await page.getByRole("button", { name: /routine ones|at once/ }).click();
      if (info.project.name !== "phone") await button(page, "Approve 2").click();
      await expect(page.getByRole("dialog").getByText("Emergency: decided on its own")).toBeVisible();
      await expectNoViolations(page);
      await page.keyboard.press("Escape");
      await expect(page.getByRole("dialog")).toHaveCount(0);
      await button(page, "Approve").click();
      await expect(page.getByText("Confidential: few people may see this request")).toBeVisible();
      await expectNoViolations(page);
      await button(page, /^Undo:/).click();
    });
  });
}
