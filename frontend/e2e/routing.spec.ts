/** Rules that send requests somewhere, people who are away, queues, and two who reach for one ticket. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolationsInBothThemes,
  PASSWORD,
  signIn,
  title,
} from "./support";

async function token(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  expect(login.status(), await login.text()).toBe(200);
  const { access_token } = (await login.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}

/** No rules, and nobody away: the journeys of others find the company as it is. */
async function tidy(request: APIRequestContext): Promise<void> {
  const headers = await token(request, "admin");
  const { version } = (await (await request.get("/api/v1/routing-rules", { headers })).json()) as {
    version: number;
  };
  await request.put("/api/v1/routing-rules", { headers, data: { version, rules: [] } });
  const { items } = (await (await request.get("/api/v1/absences?limit=100", { headers })).json()) as {
    items: { id: number }[];
  };
  for (const { id } of items) await request.delete(`/api/v1/absences/${id}`, { headers });
}

async function support(request: APIRequestContext, what: string): Promise<{ id: number; assignee: string }> {
  const made = await request.post("/api/v1/tickets", {
    data: { title: what, ticket_type: "IT_SUPPORT", priority: "CRITICAL", custom_fields: {}, submit: true },
    headers: await token(request, "employee"),
  });
  expect(made.status()).toBe(201);
  const ticket = (await made.json()) as { id: number; assignee: { name: string } | null };
  return { id: ticket.id, assignee: ticket.assignee?.name ?? "" };
}

/** Choose in a field with type-ahead. */
async function pick(
  page: Page,
  within: ReturnType<Page["getByRole"]>,
  label: string,
  words: string,
): Promise<void> {
  await within.getByRole("combobox", { name: label, exact: true }).click();
  await page.keyboard.type(words);
  await page.getByRole("option", { name: words }).first().click();
}

test.afterEach(async ({ request }) => tidy(request));

test("a rule is written, tried and published; two go to two people, one who is away is passed over", async ({
  page,
  browser,
  request,
}) => {
  test.setTimeout(120_000);
  const rule = title("Large marketing requests");
  const turn = title("Turn"); // in the rule's condition, so that it concerns nobody else's requests
  const employee = await token(request, "employee");
  const manager = await token(request, "manager");
  async function approved(
    what: string,
  ): Promise<{ id: number; priority: string; assignee: { name: string } | null }> {
    const made = await request.post("/api/v1/tickets", {
      headers: employee,
      data: {
        title: what,
        ticket_type: "IT_HARDWARE",
        amount: "350.00",
        custom_fields: { budget_code: "MKT", justification: "Routing" },
        submit: true,
      },
    });
    const { id } = (await made.json()) as { id: number };
    const queue = await request.get("/api/v1/approvals/pending?limit=100", { headers: manager });
    expect(queue.status(), await queue.text()).toBe(200);
    const { items } = (await queue.json()) as { items: { id: number; ticket: { id: number } }[] };
    const step = items.find((i) => i.ticket.id === id);
    await request.post(`/api/v1/approvals/${step?.id}/approve`, { headers: manager });
    return (await (await request.get(`/api/v1/tickets/${id}`, { headers: employee })).json()) as never;
  }
  expect((await approved(turn)).assignee).toBeNull(); // no rule speaks yet
  await signIn(page, "admin", "/settings");
  await page.getByRole("link", { name: /Routing rules/ }).click();
  await page.getByRole("button", { name: "Add a rule" }).click();
  const panel = page.getByRole("dialog", { name: "New rule" });
  await panel.getByLabel("Name").fill(rule);
  await panel.getByRole("button", { name: "Add a condition" }).click();
  await pick(page, panel, "Field", "Amount");
  await panel.getByRole("combobox", { name: "Comparison" }).click();
  await page.getByRole("option", { name: "is at least" }).click();
  await panel.getByLabel("Value for Amount").fill("300");
  await panel.getByRole("button", { name: "Add a condition" }).click();
  const second = panel.getByRole("group", { name: "Condition 2" });
  await pick(page, second, "Field", "Department");
  await pick(page, second, "Value for Department", "Marketing");
  await panel.getByRole("button", { name: "Add a condition" }).click();
  const third = panel.getByRole("group", { name: "Condition 3" });
  await pick(page, third, "Field", "Title");
  await third.getByRole("combobox", { name: "Comparison" }).click();
  await page.getByRole("option", { name: "contains" }).click();
  await third.getByLabel("Value for Title").fill(turn);
  await expect(
    panel.getByText(`Amount is at least $300.00 and Department is Marketing and Title contains “${turn}”`),
  ).toBeVisible();
  // Nothing said yet of where it goes: told, and nothing is lost.
  await panel.getByRole("button", { name: "Done" }).click();
  await expect(panel.getByText("Say at least one")).toBeVisible();
  await panel.getByRole("combobox", { name: "Send it to the team" }).click();
  await page.getByRole("option", { name: "IT Support" }).click();
  await panel.getByRole("combobox", { name: "Give it the priority" }).click();
  await page.getByRole("option", { name: "High" }).click();
  await panel.getByRole("combobox", { name: "Once approved, give it to" }).click();
  await page.getByRole("option", { name: "Next in turn" }).click();
  await panel.getByRole("button", { name: "Done" }).click();
  await expect(panel).toBeHidden();
  await expect(page.getByText("Changes are not in force yet.")).toBeVisible();

  await page.getByRole("button", { name: "Dry run" }).click();
  const run = page.getByRole("region", { name: "Dry run on the newest tickets" });
  await expect(run.getByText(/tickets looked at/)).toBeVisible();
  await expect(run.getByText(rule).first()).toBeVisible();
  await page.getByRole("button", { name: "Publish" }).click();
  const asked = page.getByRole("dialog", { name: "Publish these rules?" });
  await asked.getByLabel(/What changed/).fill("Marketing waits less");
  await asked.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText(/In force since/)).toBeVisible();

  const [one, two] = [await approved(turn), await approved(turn)];
  expect(one.priority).toBe("HIGH");
  expect([one.assignee?.name, two.assignee?.name].sort()).toEqual(["Aiko Tanaka", "Amir Novak"]);

  // The next one in turn is away from now on.
  const away = one.assignee?.name === "Amir Novak" ? "agent" : "agent2";
  const absent = await as(browser, away, "/");
  await absent.getByRole("button", { name: /Account of/ }).click();
  await absent.getByRole("menuitem", { name: "Absences" }).click();
  await expect(absent.getByRole("heading", { level: 1, name: "Absences" })).toBeVisible();
  const today = new Date();
  const day = (n: number) => {
    const at = new Date(today.getFullYear(), today.getMonth(), today.getDate() + n);
    return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
  };
  await absent.getByLabel("First day away").fill(day(0));
  await absent.getByLabel("Last day away").fill(day(2));
  await absent.getByLabel(/Reason/).fill("Dentist");
  await absent.getByRole("button", { name: "Set absence" }).click();
  await expect(absent.getByText("Away now")).toBeVisible();

  const three = await approved(turn);
  expect(three.assignee?.name).toBe(two.assignee?.name);
  await page.goto(`/tickets/${three.id}`);
  await page.getByRole("tab", { name: "History" }).click();
  await expect(page.getByText(new RegExp(`the rule “${rule}” held`))).toBeVisible();
  await expect(page.getByText(/whose turn it was; 1 away/)).toBeVisible();
  await expect(page.getByText("Dentist")).toHaveCount(0);
  await absent.context().close();

  await page.goto("/settings/routing");
  await page.getByRole("tab", { name: "History" }).click();
  await expect(page.getByText("Marketing waits less")).toBeVisible();
  await expect(page.getByText(`“${rule}” added`)).toBeVisible();
});

test("the order is changed by keyboard, and somebody else's rules are not overwritten", async ({
  page,
  request,
}) => {
  const headers = await token(request, "admin");
  const { version } = (await (await request.get("/api/v1/routing-rules", { headers })).json()) as {
    version: number;
  };
  // Conditions that hold for nobody else's requests.
  const always = {
    condition: { field: "title", op: "contains", value: title("Order") },
    priority: "HIGH",
  };
  const rules = [
    { ...always, name: "First", condition: { field: "title", op: "eq", value: title("First") } },
    { ...always, name: "Second" },
    { ...always, name: "Third", priority: "LOW" },
  ];
  await request.put("/api/v1/routing-rules", { headers, data: { version, rules } });
  await signIn(page, "admin", "/settings/routing");
  await expect(page.getByText("Never takes effect")).toBeVisible();
  await page.getByRole("button", { name: "Move “Third” up" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 2 })).toHaveText(["First", "Third", "Second"]);
  await page.keyboard.press("Alt+ArrowUp");
  await expect(page.getByRole("heading", { level: 2 })).toHaveText(["Third", "First", "Second"]);
  await expect(page.getByRole("button", { name: "Edit “Third”" })).toBeFocused();

  await request.put("/api/v1/routing-rules", { headers, data: { version: version + 1, rules: [] } });
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  const alert = page.getByRole("alert");
  await expect(alert.getByText("Somebody else published other rules meanwhile")).toBeVisible();
  await expect(page.getByRole("heading", { level: 2 })).toHaveText(["Third", "First", "Second"]);
  await alert.getByRole("button", { name: "Publish mine in their place" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText(/In force since/)).toBeVisible();

  await page.getByRole("switch", { name: "“Third” is in use" }).click();
  await page.getByRole("link", { name: "Settings" }).first().click();
  await expect(page.getByRole("dialog", { name: "Leave without publishing?" })).toBeVisible();
  await page.getByRole("button", { name: "Leave" }).click();
  await expect(page).toHaveURL(/\/settings$/);
});

test("two reach for one ticket, and one gets it; the next one comes by itself", async ({
  browser,
  request,
}) => {
  const what = title("Reach");
  const ticket = await support(request, what);
  const amir = await as(browser, "agent", "/queues");
  const aiko = await as(browser, "agent2", "/queues");
  for (const page of [amir, aiko]) await expect(page.getByRole("link", { name: what })).toBeVisible();
  const claimOf = (page: Page) =>
    page
      .getByRole("listitem")
      .filter({ hasText: what })
      .getByRole("button", { name: /^Claim / });
  // Aiko's screen does not hear of Amir's claim before she clicks.
  await aiko.route("**/api/v1/queues/**", (route) => route.abort());
  await claimOf(amir).click();
  await expect(amir.getByRole("link", { name: what })).toHaveCount(0);
  await claimOf(aiko).click();
  await expect(aiko.getByText(/Amir Novak has it\./).first()).toBeVisible();
  await amir.getByRole("button", { name: "Mine" }).click();
  await expect(amir.getByRole("link", { name: what })).toBeVisible();

  await amir.goto(`/tickets/${ticket.id}`);
  await amir.getByRole("button", { name: "Give back" }).click();
  await expect(amir.getByRole("button", { name: "Claim" })).toBeVisible();
  await amir.locator("body").press("c");
  await expect(amir.getByRole("button", { name: "Give back" })).toBeVisible();
  await expect(amir).toHaveURL(new RegExp(`/tickets/${ticket.id}$`));

  await support(request, title("Next"));
  await amir.goto("/queues");
  await amir.getByRole("button", { name: "Claim next" }).click();
  await expect(amir).toHaveURL(/\/tickets\/\d+$/);
  await expect(amir.getByRole("button", { name: "Give back" })).toBeVisible();
  await amir.context().close();
  await aiko.context().close();
});

test("who is in a team, and who leads it", async ({ page }) => {
  await signIn(page, "admin", "/settings/teams");
  const team = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: "HR Services" }) });
  await pick(page, team, "Add somebody to HR Services", "Oscar Silva");
  await team.getByRole("button", { name: "Add", exact: true }).click();
  const lead = team.getByRole("switch", { name: "Oscar Silva leads HR Services" });
  await lead.click();
  await expect(lead).toBeChecked();
  await team.getByRole("button", { name: "Take Oscar Silva out of HR Services" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take out" }).click();
  await expect(team.getByText("Oscar Silva")).toHaveCount(0);
});

test("every screen is for everybody", async ({ page, request }) => {
  test.setTimeout(240_000);
  const headers = await token(request, "admin");
  const { version } = (await (await request.get("/api/v1/routing-rules", { headers })).json()) as {
    version: number;
  };
  const condition = {
    all: [
      { field: "amount", op: "gte", value: "1000" },
      { field: "title", op: "starts_with", value: title("Some") },
      {
        any: [
          { field: "ticket_type", op: "in", value: ["HR", "IT_SUPPORT"] },
          { field: "title", op: "in", value: ["a"] },
        ],
      },
    ],
  };
  const rules = [
    { name: "Some", condition, priority: "HIGH" },
    { name: "All", condition: { field: "title", op: "eq", value: title("All") }, priority: "LOW" },
    { name: "Off", condition: null, team_id: 999_999_999, is_active: false },
  ];
  await request.put("/api/v1/routing-rules", { headers, data: { version, rules } });
  await support(request, title("Seen"));
  await signIn(page, "admin", "/settings");
  for (const path of ["/settings", "/settings/routing", "/settings/teams", "/settings/absences", "/queues"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.locator("[aria-busy='true']")).toHaveCount(0);
    await test.step(path, () => expectNoViolationsInBothThemes(page));
    const before = page.viewportSize();
    await page.setViewportSize({ width: 320, height: 800 });
    await expectNoSidewaysScroll(page);
    if (before) await page.setViewportSize(before);
  }
  await page.goto("/settings/routing");
  await page.getByRole("button", { name: "Dry run" }).click();
  await expect(page.getByRole("region", { name: "Dry run on the newest tickets" })).toBeVisible();
  await page.getByLabel("Only what would be different").click();
  await expectNoViolationsInBothThemes(page);
  await page.getByRole("button", { name: "Edit “Some”" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectNoViolationsInBothThemes(page);
  await page.setViewportSize({ width: 320, height: 800 });
  await expectNoSidewaysScroll(page);
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "History" }).click();
  await expect(page.getByText("In force").first()).toBeVisible();
  await expectNoViolationsInBothThemes(page);
});
