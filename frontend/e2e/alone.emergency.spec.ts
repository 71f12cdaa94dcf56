/** The specification's Scenario 3: an outage, everybody who may decide at once, and a quarter of an hour later the next. */
import { expect, test, type APIRequestContext } from "@playwright/test";
import { hurry, SUPERVISOR } from "./processes";
import { as, expectNoSidewaysScroll, expectNoViolations, mailAbout, PASSWORD, title } from "./support";

async function outage(request: APIRequestContext, what: string): Promise<number> {
  const login = await request.post("/api/v1/auth/login", { data: { username: "agent", password: PASSWORD } });
  const { access_token } = (await login.json()) as { access_token: string };
  const data = {
    title: what,
    description: "The order system is down; a spare server must be bought today.",
    ticket_type: "IT_HARDWARE",
    priority: "CRITICAL",
    amount: "18000.00",
    currency: "USD",
    custom_fields: { budget_code: "OPS-1", justification: "Nobody can order" },
    submit: true,
  };
  const headers = { Authorization: `Bearer ${access_token}` };
  const made = await request.post("/api/v1/tickets", { data, headers });
  expect(made.status(), await made.text()).toBe(201);
  return ((await made.json()) as { id: number }).id;
}

test("an emergency is everybody's at once, climbs after fifteen minutes, and the first answer ends it", async ({
  browser,
  request,
}) => {
  test.skip(!SUPERVISOR, "SUPERVISOR_PID does not say whose clock may be put forward");
  test.setTimeout(120_000);
  const committee = await as(browser, "finance1", "/approvals");
  const what = title("Server outage");
  const began = Date.now();
  const id = await outage(request, what);

  // told within the minute, on the open screen and by mail
  const card = committee.getByRole("heading", { level: 2, name: what, exact: true });
  await committee.getByText(what).first().click({ timeout: 20_000 });
  await expect(card).toBeVisible();
  await expect(committee.getByText("Emergency: the first answer counts")).toBeVisible();
  const mail = await mailAbout(what);
  expect(Date.now() - began).toBeLessThan(60_000);
  expect(mail.text).toContain("The order system is down");
  for (const other of ["finance2", "finance3"]) {
    const page = await as(browser, other, `/approvals?ticket=${id}`);
    await expect(page.getByText(what).first()).toBeVisible();
    await page.context().close();
  }

  // a quarter of an hour later the next in line is asked as well, and may answer from a phone
  hurry(id, 15);
  const boss = await as(browser, "executive", "/approvals");
  await boss.setViewportSize({ width: 320, height: 640 });
  await expect(async () => {
    await boss.goto(`/approvals?ticket=${id}`);
    await expect(boss.getByRole("heading", { level: 2, name: what, exact: true })).toBeVisible({
      timeout: 2000,
    });
  }).toPass({ timeout: 30_000 });
  await expect(boss.getByText(/nobody answered in time/)).toBeVisible();
  await expectNoSidewaysScroll(boss);
  await expectNoViolations(boss);
  await boss.getByRole("button", { name: "Approve", exact: true }).click();

  // one answer ends it; who did not answer is not asked any more, and all of it is written down
  const desk = await as(browser, "agent", `/tickets/${id}`);
  await expect(desk.getByText(/Approved$/).first()).toBeVisible({ timeout: 40_000 });
  await expect(committee.getByText(/no longer waits for you/)).toBeVisible({ timeout: 20_000 });
  await desk.getByRole("tab", { name: "History" }).click();
  const history = desk.getByRole("region", { name: "History" });
  await expect(history.getByText(/escalated the decision to/).first()).toBeVisible();
  await expect(history.getByText(/approved a step/).first()).toBeVisible();
});
