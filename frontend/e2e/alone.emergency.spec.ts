/** The specification's Scenario 3: an outage, everybody who may decide at once, and a quarter of an hour later the next. */
import { expect, test, type APIRequestContext } from "@playwright/test";
import { hurry, SUPERVISOR } from "./processes";
import { as, expectNoSidewaysScroll, expectNoViolations, mailAbout, PASSWORD, title } from "./support";

/** Of words on the primary colour: the theme has changed once they have it. */
const COLOURS = { light: "rgb(255, 255, 255)", dark: "rgb(15, 23, 42)" };

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
  const proof = desk.getByRole("region", { name: "Approval" });
  await expect(proof.getByText(/not answered in time/).first()).toBeVisible();
  await expect(proof.getByText(/By e-mail \(.*@.*\)/).first()).toBeVisible();
  await expect(desk.getByText(/Approved$/).first()).toBeVisible({ timeout: 40_000 });
  await expect(committee.getByText(/no longer waits for you/)).toBeVisible({ timeout: 20_000 });
  await desk.getByRole("tab", { name: "History" }).click();
  const history = desk.getByRole("region", { name: "History" });
  await expect(history.getByText(/escalated the decision to/).first()).toBeVisible();
  await expect(history.getByText(/approved a step/).first()).toBeVisible();
});

test("nobody can be reached: the glass is broken, that is reviewed, and an objection is there for all to see", async ({
  browser,
  request,
}) => {
  test.setTimeout(150_000);
  const what = title("Mail outage");
  const id = await outage(request, what);

  // the one who waits sees second by second what happens next, who has opened it, and the proof of it
  const desk = await as(browser, "agent", `/tickets/${id}`);
  const waiting = desk.getByRole("region", { name: "What it waits for" });
  await expect(waiting.getByText("Emergency: 3 people are asked at once")).toBeVisible();
  await expect(waiting.getByRole("timer")).toHaveText(/^1[45]:\d\d$/);
  await expect(waiting.getByText("until Elena Fischer is asked as well")).toBeVisible();
  await expect(waiting.getByText("has not opened it yet")).toHaveCount(3);
  await expect(waiting.getByRole("button", { name: "Break the glass" })).toHaveCount(0);
  const flow = desk.getByRole("region", { name: "Approval" });
  await expect(flow.getByText(/By e-mail .*arrived/).first()).toBeVisible({ timeout: 30_000 });
  const committee = await as(browser, "finance1", `/approvals?ticket=${id}`);
  await expect(committee.getByRole("heading", { level: 2, name: what, exact: true })).toBeVisible();
  await expect(waiting.getByText("has not opened it yet")).toHaveCount(2, { timeout: 5000 });
  await expect(flow.getByText("opened by Farah Haddad")).toBeVisible();
  await expectNoViolations(desk);

  // the head of the department is not asked, and may nevertheless: knowing what it means, with a reason
  const head = await as(browser, "ithead", `/tickets/${id}`);
  await head.setViewportSize({ width: 320, height: 640 });
  await head.getByRole("button", { name: "Break the glass" }).click();
  const dialog = head.getByRole("dialog", { name: "Approve this emergency without being asked" });
  const sure = dialog.getByRole("button", { name: "Break the glass and approve" });
  await expect(sure).toBeDisabled();
  await dialog.getByLabel("Why it cannot wait for them").fill("All of Finance is in the air until noon");
  await dialog.getByLabel("I have read what this means").click();
  await expectNoViolations(head);
  await expectNoSidewaysScroll(head);
  await sure.click();
  await expect(dialog).toBeHidden();

  // approved on every screen; those who were asked are told, and are its reviewers now
  await expect(desk.getByText(/Approved$/).first()).toBeVisible({ timeout: 10_000 });
  await expect(waiting).toHaveCount(0);
  await expect(flow.getByText("Approved by Ingrid Solberg, who broke the glass")).toBeVisible();
  await expect(committee.getByText(/no longer waits for you/)).toBeVisible({ timeout: 20_000 });
  expect((await mailAbout(`broke the glass: ${what}`)).text).toContain("in the air until noon");
  await committee.setViewportSize({ width: 320, height: 640 });
  await committee.goto("/approvals");
  await committee.getByRole("link", { name: /for your review/ }).click();
  const review = committee.getByRole("article", { name: what });
  await expect(review.getByText("All of Finance is in the air until noon")).toBeVisible();
  await expectNoSidewaysScroll(committee);
  for (const colorScheme of ["light", "dark"] as const) {
    await committee.emulateMedia({ colorScheme });
    await expect(committee.locator("html.dark")).toHaveCount(colorScheme === "dark" ? 1 : 0);
    await expect(review.getByRole("button", { name: "It was right" })).toHaveCSS(
      "color",
      COLOURS[colorScheme],
    );
    await expectNoViolations(committee);
  }
  await review.getByRole("button", { name: "Object" }).click();
  await expect(review.getByText("Please say what you found.")).toBeVisible();
  await review.getByLabel("What you found").fill("I was at my desk all morning");
  await review.getByRole("button", { name: "Object" }).click();
  await expect(review).toHaveCount(0);

  // it undoes nothing and hides from nobody
  await expect(desk.getByText(/Farah Haddad objects: Ingrid Solberg should not have/)).toBeVisible({
    timeout: 10_000,
  });
  await expect(desk.getByText("objected", { exact: true }).first()).toBeVisible();
  await expect(desk.getByText(/Approved$/).first()).toBeVisible();
  await desk.getByRole("tab", { name: "History" }).click();
  const history = desk.getByRole("region", { name: "History" });
  await expect(history.getByText(/broke the glass: approved it without being asked/)).toBeVisible();
  await expect(history.getByText(/reviewed the broken glass and objected/)).toBeVisible();
  const auditor = await as(browser, "auditor", "/approvals/reviews");
  await auditor.getByRole("switch", { name: "Show decided ones" }).click();
  await expect(auditor.getByRole("article", { name: what })).toBeVisible();
  await expect(auditor.getByRole("button", { name: "Object" })).toHaveCount(0);
});
