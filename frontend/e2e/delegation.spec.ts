/** Who decides while somebody is away: set for next week, begun, used, ended; and both people know at every moment. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  mailAbout,
  PASSWORD,
  signIn,
  title,
} from "./support";

const DAY = 86_400_000;
const HEAD = "Henrik Lindqvist";
const OSCAR = "Oscar Silva";

interface Somebody {
  headers: Record<string, string>;
  id: number;
}
async function somebody(request: APIRequestContext, username: string): Promise<Somebody> {
  const answer = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  const { access_token, user } = await answer.json();
  return { headers: { Authorization: `Bearer ${access_token}` }, id: user.id };
}
async function endAll(request: APIRequestContext, who: Somebody): Promise<void> {
  const { headers } = who;
  const { items } = await (await request.get("/api/v1/approvals/delegations?limit=100", { headers })).json();
  for (const one of items) await request.delete(`/api/v1/approvals/delegations/${one.id}`, { headers });
  const away = await (await request.get("/api/v1/absences?limit=100", { headers })).json();
  for (const one of away.items) await request.delete(`/api/v1/absences/${one.id}`, { headers });
}
async function ask(request: APIRequestContext, words: string): Promise<{ id: number; title: string }> {
  const { headers } = await somebody(request, "employee");
  const data = {
    title: title(words),
    ticket_type: "IT_HARDWARE",
    amount: "1500.00",
    currency: "USD",
    custom_fields: { budget_code: "MKT-1", justification: "For the journey" },
    submit: true,
  };
  const made = await request.post("/api/v1/tickets", { headers, data });
  expect(made.status()).toBe(201);
  return made.json();
}
const day = (from: Date) =>
  `${from.getFullYear()}-${String(from.getMonth() + 1).padStart(2, "0")}-${String(from.getDate()).padStart(2, "0")}`;
async function pick(page: Page, label: string, name: string): Promise<void> {
  await page.getByRole("combobox", { name: label }).fill(name.split(" ")[0] as string);
  await page.getByRole("option", { name }).click();
}

test.describe.configure({ mode: "serial" });
test.beforeEach(async ({ request }) => endAll(request, await somebody(request, "head")));
test.afterEach(async ({ request }) => endAll(request, await somebody(request, "head")));

test("next week's deputy decides on behalf, until it is ended", async ({ browser, page, request }) => {
  test.setTimeout(120_000);
  const first = await ask(request, "Screen");
  await signIn(page, "head", "/approvals");
  await page.getByRole("link", { name: "While I am away" }).click();
  await page.getByRole("button", { name: "Let somebody decide for you" }).click();
  const form = page.getByRole("dialog");
  await form.getByRole("button", { name: "Let them decide" }).click();
  await expect(form.getByText("Choose who decides.")).toBeVisible();
  await pick(page, "Who decides", OSCAR);
  const now = Date.now();
  await form.getByLabel("First day").fill(day(new Date(now + 7 * DAY)));
  await form.getByLabel("Last day").fill(day(new Date(now + 11 * DAY)));
  await expect(form.getByRole("region", { name: "What waits now" })).toContainText(first.title);
  await form.getByLabel("Reason (optional)").fill("Walking in the hills");
  await form.getByRole("button", { name: "Let them decide" }).click();
  await expect(form).toBeHidden();
  const mine = page.getByRole("region", { name: "Who decides for you" });
  await expect(mine.getByText("Planned")).toBeVisible();
  const mail = await mailAbout(`You stand in for ${HEAD} from`);
  expect(mail.text).not.toContain("hills");
  await expect(page.getByRole("region", { name: "While I am away" })).toHaveCount(0);

  // Leaving today already: only the beginning moves.
  await mine.getByRole("button", { name: /^Change/ }).click();
  await form.getByLabel("First day").fill(day(new Date(now)));
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toBeHidden();
  await expect(mine.getByText("Now", { exact: true })).toBeVisible();
  const banner = page.getByRole("region", { name: "While I am away" });
  await expect(banner).toContainText(`${OSCAR} decides for you until`);

  const oscar = await as(browser, "outsider", "/");
  await expect(oscar.getByRole("region", { name: "While I am away" })).toContainText(
    `You stand in for ${HEAD} until`,
  );
  await oscar.goto(`/approvals?ticket=${first.id}`);
  await expect(oscar.getByRole("heading", { name: first.title })).toBeVisible();
  await expect(oscar.getByText(`for ${HEAD}`).first()).toBeVisible();
  await oscar.getByRole("button", { name: "Approve", exact: true }).click();
  await expect
    .poll(
      async () => {
        const { headers } = await somebody(request, "employee");
        return (await (await request.get(`/api/v1/tickets/${first.id}`, { headers })).json()).status;
      },
      { timeout: 20_000 },
    )
    .toBe("APPROVED");
  await mailAbout(`${OSCAR} decided for you: ${first.title}`);
  const employee = await as(browser, "employee", `/tickets/${first.id}`);
  await expect(employee.getByText(`decided by ${OSCAR} on behalf of ${HEAD}`)).toBeVisible();

  const second = await ask(request, "Dock");
  await oscar.goto(`/approvals?ticket=${second.id}`);
  await expect(oscar.getByRole("heading", { name: second.title })).toBeVisible();
  await banner.getByRole("button", { name: "End now" }).click();
  await expect(banner).toHaveCount(0);
  await oscar.goto("/approvals");
  await expect(oscar.getByText(second.title)).toHaveCount(0);
  await expect(oscar.getByRole("region", { name: "While I am away" })).toHaveCount(0);
  await page.goto(`/approvals?ticket=${second.id}`);
  await expect(page.getByRole("heading", { name: second.title })).toBeVisible();
});

test("an absence names who decides meanwhile, and takes it along when it ends", async ({ page }) => {
  await signIn(page, "head", "/settings/absences");
  const now = Date.now();
  await page.getByLabel("First day away").fill(day(new Date(now)));
  await page.getByLabel("Last day away").fill(day(new Date(now + 3 * DAY)));
  await pick(page, "Who decides meanwhile (optional)", OSCAR);
  await page.getByRole("button", { name: "Set absence" }).click();
  const banner = page.getByRole("region", { name: "While I am away" });
  await expect(banner).toContainText(`${OSCAR} decides for you until`);
  await page.goto("/approvals/away");
  await expect(page.getByText("Ends with your absence")).toBeVisible();
  await page.goto("/settings/absences");
  await page.getByRole("button", { name: `${HEAD} is back` }).click();
  await expect(banner).toHaveCount(0);
});

test("its screens can be read by everybody", async ({ page, request }) => {
  test.setTimeout(90_000);
  const [head, oscar] = [await somebody(request, "head"), await somebody(request, "outsider")];
  const at = (days: number) => new Date(Date.now() + days * DAY).toISOString();
  const condition = { all: [{ field: "ticket_type", op: "eq", value: "IT_HARDWARE" }] };
  const data = {
    delegate_id: oscar.id,
    starts_at: at(0),
    ends_at: at(4),
    condition,
    amount_up_to: "4000.00",
  };
  await request.post("/api/v1/approvals/delegations", { headers: head.headers, data });
  await signIn(page, "head", "/approvals/away");
  await expect(page.getByText("Only: Type is IT hardware · Up to 4,000")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("button", { name: /^Change/ }).click();
  await expect(page.getByRole("dialog").getByLabel("Last day")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.keyboard.press("Escape");
  for (const width of [320, 768]) {
    await page.setViewportSize({ width, height: 800 });
    await expectNoSidewaysScroll(page);
  }
  await page.goto("/settings/absences");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});

test("the screens of people can be read by everybody", async ({ page }) => {
  await signIn(page, "admin", "/settings/people");
  await page.getByRole("link", { name: /Mike Okafor/ }).click();
  await page.getByRole("tab", { name: "What names them" }).click();
  await expect(page.getByRole("heading", { level: 2, name: "What names them" })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.goBack();
  await expect(page.getByRole("link", { name: /Mike Okafor/ })).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});

test("who leaves: what names them is seen first, and what waits goes to the next in line", async ({
  page,
  request,
}) => {
  test.setTimeout(90_000);
  const admin = await somebody(request, "admin");
  const { headers } = admin;
  const { items } = await (await request.get("/api/v1/people?q=Okafor", { headers })).json();
  const name = `leaver${Date.now().toString(36)}`;
  const data = {
    username: name,
    email: `${name}@example.com`,
    first_name: "Lea",
    last_name: name,
    password: PASSWORD,
  };
  const made = await request.post("/api/v1/users", { headers, data: { ...data, manager_id: items[0].id } });
  const lea = await made.json();
  const key = name.toUpperCase();
  await request.post("/api/v1/ticket-types", { headers, data: { key, name: `Kind ${name}`, form: {} } });
  const stages = [{ name: "Lea", approvers: [{ kind: "USER", user_id: lea.id }] }];
  const condition = { all: [{ field: "ticket_type", op: "eq", value: key }] };
  await request.post("/api/v1/approval-workflows", {
    headers,
    data: { name: `Flow ${name}`, condition, stages },
  });
  const employee = await somebody(request, "employee");
  const wanted = { title: title("Desk"), ticket_type: key, custom_fields: {}, submit: true };
  const ticket = await (
    await request.post("/api/v1/tickets", { headers: employee.headers, data: wanted })
  ).json();

  await signIn(page, "admin", "/settings/people");
  await page.getByRole("searchbox", { name: "Find by name, username or e-mail" }).fill(name);
  await page.getByRole("link", { name: new RegExp(name) }).click();
  await expect(page.getByRole("heading", { level: 1, name: `Lea ${name}` })).toBeVisible();
  await page.getByRole("tab", { name: "What names them" }).click();
  await expect(page.getByRole("link", { name: new RegExp(ticket.ticket_number) })).toBeVisible();
  await expect(page.getByRole("link", { name: `Flow ${name}` })).toBeVisible();
  await expectNoViolations(page);
  await page.getByRole("button", { name: "Deactivate" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectNoViolations(page);
  await page.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
  await expect(page.getByRole("button", { name: "Let in again" })).toBeVisible();
  await expect(page.getByRole("link", { name: new RegExp(ticket.ticket_number) })).toHaveCount(0);
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.goto("/settings/people");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectNoSidewaysScroll(page);
  await expectNoViolations(page);

  const flow = await (
    await request.get(`/api/v1/tickets/${ticket.id}/approvals`, { headers: employee.headers })
  ).json();
  const steps = flow.items[0].stages[0].steps;
  expect(steps.map((s: { status: string }) => s.status)).toEqual(["REROUTED", "PENDING"]);
  expect(steps[1].approver.username).toBe("manager");
});
