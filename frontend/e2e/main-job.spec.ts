/** Somebody asks, the right people approve, a team fulfils: the specification's Scenario 1, with mail. */
import { expect, test } from "@playwright/test";
import { as, askForHardware, linkIn, mailAbout, title } from "./support";

test("a laptop, from the request to its closure", async ({ browser }) => {
  test.setTimeout(120_000);
  const what = title("Laptop for the campaign");
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, what, "950");
  await expect(jane.getByRole("heading", { level: 1 })).toHaveText(what);
  await expect(jane.getByRole("main").getByText(/^ITH-\d{4}-\d{6}$/)).toBeVisible();
  await expect(jane.locator("header").getByText("In review")).toBeVisible();

  const asked = await mailAbout(`Please decide: ${what}`);
  expect(asked.to).toEqual(["manager@example.com"]);
  expect(asked.text).toContain("950.00 USD");
  const mike = await as(browser, "manager", linkIn(asked));
  await expect(mike.getByRole("heading", { level: 2, name: what })).toBeVisible();
  await expect(mike.getByText("$950.00").first()).toBeVisible();
  await mike.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(mike.getByText(`Approved: ${what}`).first()).toBeVisible();

  // Jane's page follows by itself, stage by stage.
  const flow = jane.locator("section", { has: jane.getByRole("heading", { name: "Approval" }) });
  await expect(flow.getByText("Approved").first()).toBeVisible({ timeout: 15_000 });
  await expect(jane.locator("header").getByText("Approved")).toBeVisible({ timeout: 15_000 });
  const decided = await mailAbout(`Approved: ${what}`);
  expect(decided.to).toEqual(["employee@example.com"]);

  const agent = await as(browser, "agent", path);
  await agent.getByRole("button", { name: "Claim", exact: true }).click();
  await agent.getByRole("button", { name: "Start work" }).click();
  const audience = agent.getByRole("group", { name: "Who reads it" });
  await audience.getByRole("button", { name: "Internal" }).click();
  await agent.getByLabel(/only the team reads/).fill("Serial number 4711, from the second shelf");
  await agent.getByRole("button", { name: "Send internal note" }).click();
  await expect(agent.getByText("Serial number 4711")).toBeVisible();
  await audience.getByRole("button", { name: "Public" }).click();
  await agent.getByLabel(/everybody on this ticket reads/).fill("It is on your desk **tomorrow**.");
  await agent.keyboard.press("Control+Enter");
  await expect(jane.getByText("It is on your desk")).toBeVisible({ timeout: 15_000 });
  await expect(jane.getByText("Serial number 4711")).toHaveCount(0);

  await agent.getByRole("button", { name: "Complete" }).click();
  await agent.getByRole("dialog").getByRole("textbox").fill("Delivered, signed for by Jane");
  await agent.getByRole("dialog").getByRole("button", { name: "Complete" }).click();
  await expect(jane.locator("header").getByText("Completed")).toBeVisible({ timeout: 15_000 });
  await mailAbout(`Done: ${what}`);
  await jane.locator("main header").getByRole("button", { name: "Close" }).click();
  await expect(jane.locator("header").getByText("Closed")).toBeVisible();
  await jane.getByRole("tab", { name: "History" }).click();
  for (const words of [/submitted/i, /approved/i, /completed/i, /closed/i])
    await expect(jane.getByRole("listitem").filter({ hasText: words }).first()).toBeVisible();
});

test("a large amount goes to the committee: two of them must agree, then nobody else is asked", async ({
  browser,
}) => {
  const what = title("Video wall");
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, what, "12,000");
  await expect(jane.getByText("2 of 3 must agree")).toBeVisible();
  for (const username of ["finance1", "finance2"]) {
    const page = await as(browser, username, `/approvals?ticket=${path.split("/").at(-1)}`);
    await expect(page.getByRole("heading", { level: 2, name: what })).toBeVisible();
    await page.getByRole("button", { name: "Approve", exact: true }).click();
    await expect(page.getByText(`Approved: ${what}`).first()).toBeVisible();
    await page.goto("about:blank"); // what was decided leaves with the page
  }
  await expect(jane.locator("header").getByText("Approved")).toBeVisible({ timeout: 15_000 });
  await expect(jane.getByText("Not needed")).toBeVisible();
});

test("a question, its answer, and a rejection with its reason", async ({ browser }) => {
  const what = title("Second monitor");
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, what, "320");
  const mike = await as(browser, "manager", `/approvals?ticket=${path.split("/").at(-1)}`);
  await expect(mike.getByRole("heading", { level: 2, name: what })).toBeVisible();
  await mike.keyboard.press("i");
  const question = mike.getByRole("form", { name: "Ask back" });
  await question.getByLabel("Your question").fill("Which size?");
  await question.getByRole("button", { name: "Ask back" }).click();
  await expect(jane.locator("header").getByText("Pending info")).toBeVisible({ timeout: 15_000 });
  await jane.getByRole("button", { name: "Answer" }).first().click(); // above, and where the question stands
  await jane.getByRole("dialog").getByRole("textbox").fill("27 inch");
  await jane.getByRole("dialog").getByRole("button", { name: "Answer" }).click();
  await expect(jane.locator("header").getByText("In review")).toBeVisible();

  await mike.goto(`/approvals?ticket=${path.split("/").at(-1)}`);
  await expect(mike.getByRole("heading", { level: 2, name: what })).toBeVisible();
  await mike.getByRole("button", { name: "Reject" }).click();
  const rejection = mike.getByRole("form", { name: "Reject" });
  await expect(rejection.getByRole("button", { name: "Reject" })).toBeDisabled();
  await rejection.getByLabel("Reason").fill("Not in this year's budget");
  await rejection.getByRole("button", { name: "Reject" }).click();
  await expect(jane.locator("header").getByText("Rejected")).toBeVisible({ timeout: 15_000 });
  await expect(jane.getByText("Not in this year's budget").first()).toBeVisible();
  expect((await mailAbout(`Rejected: ${what}`)).text).toContain("Not in this year's budget");
});

test("what is missing is named at its field, and nothing typed is lost", async ({ browser }) => {
  const jane = await as(browser, "employee", "/new/IT_HARDWARE");
  await jane.getByLabel("Title").fill("A phone");
  await jane.getByLabel("Amount").fill("12,3456");
  await jane.getByRole("button", { name: "Submit" }).click();
  await expect(jane.getByLabel("Amount")).toHaveAttribute("aria-invalid", "true");
  await jane.getByRole("button", { name: /^Justification: / }).click(); // the summary leads to each field
  await expect(jane.getByLabel("Justification")).toBeFocused();
  await jane.getByLabel("Amount").fill("300");
  await jane.getByRole("button", { name: "Submit" }).click();
  await expect(jane.getByText("Please check the marked fields.")).toBeVisible();
  await expect(jane.getByLabel("Budget code")).toBeFocused();
  await jane.reload();
  await expect(jane.getByLabel("Title")).toHaveValue("A phone");
  await expect(jane.getByLabel("Amount")).toHaveValue("300");
});

test("two who change the same ticket: the later one is told, and keeps their words", async ({ browser }) => {
  const jane = await as(browser, "employee", "/new/IT_HARDWARE");
  await jane.getByLabel("Title").fill(title("Dock"));
  await jane.getByRole("button", { name: "Save as draft" }).click();
  await jane.waitForURL(/\/tickets\/\d+$/);
  await jane.getByRole("button", { name: "Edit" }).click();
  await jane.getByRole("dialog").getByLabel("Title").fill("Mine");
  const elsewhere = await jane.context().newPage();
  await elsewhere.goto(jane.url());
  await elsewhere.getByRole("button", { name: "Edit" }).click();
  await elsewhere.getByRole("dialog").getByLabel("Title").fill("Theirs");
  await elsewhere.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(elsewhere.getByRole("heading", { level: 1 })).toHaveText("Theirs");
  await jane.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  const question = jane.getByRole("dialog", { name: /^Both of you changed/ });
  await expect(question.getByRole("radio", { name: /Theirs.*Theirs/ })).toBeVisible();
  await question.getByRole("radio", { name: /Yours\s*Mine/ }).check();
  await question.getByRole("button", { name: "Keep what I chose" }).click();
  await expect(jane.getByRole("heading", { level: 1 })).toHaveText("Mine");
});

test("a request that changes under the approver's eyes says so, and who decided before decided on other words", async ({
  browser,
}) => {
  const what = title("Workstations");
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, what, "9000");
  const queue = `/approvals?ticket=${path.split("/").pop()}`;
  const farah = await as(browser, "finance1", queue);
  await farah.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(farah.getByText(`Approved: ${what}`).first()).toBeVisible();
  await farah.goto("about:blank"); // what was decided leaves with the page
  const felix = await as(browser, "finance2", queue);
  await expect(felix.getByRole("article").getByRole("heading", { name: what })).toBeVisible();
  await jane.getByRole("button", { name: "Edit" }).click();
  await jane.getByRole("dialog").getByLabel("Title").fill(`${what}, a car`);
  await jane.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(felix.getByText("This request was changed while you looked at it.")).toBeVisible({
    timeout: 15_000,
  });
  const change = felix.getByRole("region", { name: "What was changed" });
  await expect(change.getByText(", a car")).toBeVisible();
  await expect(felix.getByRole("button", { name: "Approve", exact: true })).toHaveCount(0);
  await change.getByRole("button", { name: "I have read the change" }).click();
  await expect(felix.getByRole("button", { name: "Approve", exact: true })).toBeVisible();
  await expect(felix.getByRole("article").getByText("before the last change")).toBeVisible();
});
