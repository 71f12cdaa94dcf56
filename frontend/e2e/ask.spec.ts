/** Asking: found by everyday words, kept while it is written, for others, again, and by a link. */
import { expect, test, type Page } from "@playwright/test";
import {
  as,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  PASSWORD,
  signIn,
  title,
} from "./support";

const saved = (page: Page) => page.getByText(/^Saved \d{1,2}:\d{2}/);
const main = (page: Page) => page.getByRole("main");

test("from signing in to a submitted request in three steps: choose, fill in, submit", async ({ page }) => {
  const what = title("The projector is dark");
  let steps = 0;
  const step = async (work: () => Promise<void>) => {
    steps += 1;
    await work();
  };
  await signIn(page, "employee");
  await step(() =>
    main(page)
      .getByRole("link", { name: /^IT support/ })
      .first()
      .click(),
  );
  await step(() => page.getByLabel("Title").fill(what));
  await step(() => page.getByRole("button", { name: "Submit" }).click());
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(what);
  await expect(
    main(page)
      .getByText(/^ITS-\d{4}-\d{6}$/)
      .first(),
  ).toBeVisible();
  expect(steps).toBeLessThanOrEqual(3);
});

test("everyday words find it, by keyboard alone", async ({ page }) => {
  await signIn(page, "colleague", "/new");
  const words = page.getByLabel("Describe it in your words");
  await expect(words).toBeFocused();
  const first = main(page).locator("a.wp-choice").first();
  for (const [typed, name] of [
    ["computer broken", "IT support"],
    ["I need days off", "HR request"],
    ["bagde", "Facility request"],
    ["Invoices", "Finance request"],
    ["nötebooks", "IT hardware"],
  ] as const) {
    await words.fill(typed);
    await expect(first).toContainText(name);
  }
  await words.fill("zzzzzz");
  await expect(page.getByText("Nothing fits these words.")).toBeVisible();
  await expect(page.getByRole("heading", { level: 2, name: "Facilities" })).toBeVisible();
  await words.fill("computer");
  await page.keyboard.press("ArrowDown");
  await expect(first).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(words).toBeFocused();
  await words.fill("invoice");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Finance request");
});

test("what is typed is saved, and is there after a reload and on another device", async ({
  page,
  browser,
}) => {
  const what = title("A chair");
  await signIn(page, "colleague", "/new/FACILITY");
  await page.getByLabel("Title").fill(what);
  await expect(page).toHaveURL(/\?draft=[0-9a-f-]{36}$/);
  await expect(saved(page)).toBeVisible({ timeout: 3000 });
  await page.getByLabel("Description").fill("With arms");
  await page.reload();
  await expect(page.getByLabel("Title")).toHaveValue(what);
  await expect(page.getByLabel("Description")).toHaveValue("With arms");
  await expect(saved(page)).toBeVisible({ timeout: 5000 });
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();

  const phone = await as(browser, "colleague", "/new");
  const drafts = phone.getByRole("region", { name: "Go on with …" });
  await drafts.getByRole("link", { name: what }).click();
  await expect(phone.getByLabel("Description")).toHaveValue("With arms");
  await phone.getByRole("button", { name: "Submit" }).click();
  await expect(phone.getByRole("heading", { level: 1 })).toHaveText(what);
  await phone.goto("/new");
  await expect(phone.getByRole("heading", { level: 2, name: "Facilities" })).toBeVisible();
  await expect(phone.getByRole("link", { name: what })).toHaveCount(0);
});

test("two drafts of the same kind at once, each its own; one is discarded and brought back", async ({
  page,
  context,
}) => {
  const [one, two] = [title("First"), title("Second")];
  await signIn(page, "hragent", "/new/HR");
  const other = await context.newPage();
  await other.goto("/new/HR");
  await page.getByLabel("Title").fill(one);
  await other.getByLabel("Title").fill(two);
  await expect(saved(page)).toBeVisible();
  await expect(saved(other)).toBeVisible();
  expect(page.url()).not.toBe(other.url());
  await page.reload();
  await expect(page.getByLabel("Title")).toHaveValue(one);
  await page.goto("/new");
  const drafts = page.getByRole("region", { name: "Go on with …" });
  await expect(drafts.getByRole("link", { name: one })).toBeVisible();
  await drafts.getByRole("button", { name: `Discard the draft ${two}` }).click();
  await expect(drafts.getByRole("link", { name: two })).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(drafts.getByRole("link", { name: two })).toBeVisible();
});

test("without a connection it lies on this device, and is saved when the connection is back", async ({
  page,
  context,
}) => {
  const what = title("Offline");
  await signIn(page, "outsider", "/new/IT_SUPPORT");
  await expect(page.getByLabel("Title")).toBeVisible();
  await context.setOffline(true);
  await page.getByLabel("Title").fill(what);
  await expect(page.getByText("Kept on this device.")).toBeVisible({ timeout: 5000 });
  await context.setOffline(false);
  await expect(saved(page)).toBeVisible({ timeout: 10_000 });
  await page.reload();
  await expect(page.getByLabel("Title")).toHaveValue(what);
});

test("two devices that change the same draft: both versions are shown, and one is chosen", async ({
  page,
  browser,
}) => {
  const what = title("Shelf");
  await signIn(page, "agent2", "/new/FACILITY");
  await page.getByLabel("Title").fill(what);
  await expect(saved(page)).toBeVisible();
  const path = new URL(page.url());
  const phone = await as(browser, "agent2", path.pathname + path.search);
  await phone.getByLabel("Title").fill(`${what}, white`);
  await expect(saved(phone)).toBeVisible();
  await expect.poll(() => phone.evaluate(() => JSON.stringify(localStorage))).not.toContain("white");
  await page.getByLabel("Title").fill(`${what}, black`);
  const conflict = page.getByRole("alert").filter({ hasText: "This draft was changed elsewhere" });
  await expect(conflict).toContainText("white");
  await expect(conflict).toContainText("black");
  await expectNoViolations(page);
  await conflict.getByRole("button", { name: "Take what is there" }).click();
  await expect(page.getByLabel("Title")).toHaveValue(`${what}, white`);
  await expect(conflict).toHaveCount(0);
});

test("what a session that has ended typed is kept", async ({ page, context }) => {
  const what = title("Half a sentence");
  await signIn(page, "facilityagent", "/new/IT_SUPPORT");
  await page.getByLabel("Title").fill("Half");
  await expect(saved(page)).toBeVisible();
  await context.clearCookies();
  await page.route("**/api/v1/request-drafts/*", (route) =>
    route.fulfill({ status: 401, contentType: "application/problem+json", body: '{"status":401}' }),
  );
  await page.getByLabel("Title").fill(what);
  await expect(page.getByRole("dialog", { name: "Please sign in again" })).toBeVisible();
  await page.unroute("**/api/v1/request-drafts/*");
  await page.getByRole("dialog").getByLabel("Password").fill(PASSWORD);
  await page.getByRole("dialog").getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByLabel("Title")).toHaveValue(what);
  await expect(saved(page)).toBeVisible();
  await page.reload();
  await expect(page.getByLabel("Title")).toHaveValue(what);
});

test("asked for somebody else: it is theirs, and both see it", async ({ browser }) => {
  const what = title("A desk for Jane");
  const mike = await as(browser, "manager", "/new/FACILITY");
  const whom = mike.getByLabel("For whom");
  await whom.click();
  await whom.fill("Jane");
  await mike.getByRole("option", { name: /Jane Doe/ }).click();
  await expect(mike.getByText("This will be the request of Jane Doe")).toBeVisible();
  await mike.getByLabel("Title").fill(what);
  await mike.keyboard.press("Control+Enter");
  await expect(mike.getByRole("heading", { level: 1 })).toHaveText(what);
  await expect(mike.getByText(/^Submitted for Jane Doe as/).first()).toBeVisible();
  await mike.getByRole("tab", { name: "History" }).click();
  await expect(mike.getByText(/Mike Okafor\s*for Jane Doe/).first()).toBeVisible();
  const jane = await as(browser, "employee", new URL(mike.url()).pathname);
  await expect(jane.getByRole("heading", { level: 1 })).toHaveText(what);
  await jane.goto("/new/FACILITY");
  await expect(jane.getByLabel("Title")).toBeVisible();
  await expect(jane.getByLabel("For whom")).toHaveCount(0);
});

test("asked for again: the form is filled in, and says what it left out", async ({ page }) => {
  const what = title("Two screens");
  await signIn(page, "colleague", "/new/IT_HARDWARE");
  await page.getByLabel("Title").fill(what);
  await page.getByLabel("Budget code").fill("MKT-1");
  await page.getByLabel("Justification").fill("To see more");
  await page.getByLabel("Needed by").fill("2020-01-01");
  await page.getByLabel("Amount").fill("300");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
  await page.getByRole("link", { name: "Ask for this again" }).click();
  await expect(page.getByText(/Filled in like ITH-/)).toBeVisible();
  await expect(page.getByText("“Needed by” was not taken over: that day is over.")).toBeVisible();
  await expect(page.getByLabel("Title")).toHaveValue(what);
  await expect(page.getByLabel("Amount")).toHaveValue("300.00");
  await expect(page.getByLabel("Needed by")).toHaveValue("");
  // the same title is asked for already, and still open
  await expect(page.getByRole("region", { name: "Is it one of these?" }).getByText(what)).toBeVisible();
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
});

test("a link fills the form in, says what it does not know, and sends nothing", async ({ page }) => {
  const posts: string[] = [];
  page.on("request", (r) => r.method() === "POST" && posts.push(new URL(r.url()).pathname));
  await signIn(
    page,
    "colleague",
    "/new/IT_HARDWARE?title=Laptop&description=Light&amount=950&priority=HIGH&field.budget_code=PROJ&colour=red&submit=true",
  );
  await expect(page.getByLabel("Title")).toHaveValue("Laptop");
  await expect(page.getByLabel("Amount")).toHaveValue("950");
  await expect(page.getByLabel("Budget code")).toHaveValue("PROJ");
  await expect(page.getByRole("combobox", { name: "Priority" })).toHaveText("High");
  await expect(
    page.getByText("The link also said something this form does not take: colour, submit"),
  ).toBeVisible();
  const asking = (path: string) => path.endsWith("/tickets/path"); // who would be asked; it keeps nothing
  expect(posts.filter((path) => !path.includes("/auth/") && !asking(path))).toEqual([]);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByRole("button", { name: "Copy link to this form" }).click();
  await expect(page.getByText("Link copied").first()).toBeVisible();
  const link = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  expect(link.pathname).toBe("/new/IT_HARDWARE");
  expect(Object.fromEntries(link.searchParams)).toEqual({
    title: "Laptop",
    description: "Light",
    amount: "950",
    priority: "HIGH",
    "field.budget_code": "PROJ",
  });
});

test("a field that needs a file: it is told, and the file is in its field when the request is sent", async ({
  page,
  request,
}) => {
  const key = `E2E_${Date.now().toString(36).toUpperCase()}`;
  const signed = await request.post("/api/v1/auth/login", {
    data: { username: "admin", password: PASSWORD },
  });
  const { access_token } = await signed.json();
  const made = await request.post("/api/v1/ticket-types", {
    headers: { Authorization: `Bearer ${access_token}` },
    data: {
      key,
      name: `Licence ${key}`,
      category: "IT",
      requires_approval: false,
      form: {
        properties: {
          paid: { title: "It costs something", "x-kind": "checkbox", "x-order": 1 },
          quote: {
            title: "Quote",
            "x-kind": "file",
            "x-order": 2,
            "x-show-when": { field: "custom.paid", op: "eq", value: true },
          },
        },
        required: ["quote"],
      },
    },
  });
  expect(made.status(), await made.text()).toBe(201);
  await signIn(page, "outsider", `/new/${key}`);
  await page.getByLabel("Title").fill(title("Licence"));
  await expect(page.getByRole("group", { name: "Quote" })).toHaveCount(0);
  await page.getByLabel("It costs something").check();
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page.getByRole("button", { name: "Add files: Quote" })).toBeFocused();
  await page
    .getByRole("group", { name: "Quote" })
    .locator("input[type=file]")
    .setInputFiles({
      name: "quote.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("20 a year"),
    });
  await expect(page.getByRole("group", { name: "Quote" }).getByText("quote.txt")).toBeVisible();
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
  await expect(page.locator("main header").getByText("Approved")).toBeVisible();
  const asked = page.getByRole("region", { name: "Request" });
  await expect(asked.getByRole("button", { name: "Save quote.txt" })).toBeVisible();
});

test("my requests say who has each of them, and what comes next", async ({ page, browser }) => {
  const what = title("A lamp");
  await signIn(page, "employee", "/new/FACILITY");
  await page.getByLabel("Title").fill(what);
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
  const ticket = new URL(page.url()).pathname;
  await page.getByRole("navigation").getByRole("link", { name: "My requests" }).click();
  const line = page.getByRole("region", { name: "Waiting for others" }).getByRole("link", { name: what });
  await expect(line).toContainText("Mike Okafor is asked to decide.");
  await expect(line).toContainText("Next: with a yes, the team begins to work.");
  const mike = await as(browser, "manager", `/approvals?ticket=${ticket.split("/").at(-1)}`);
  await mike.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(line).toContainText(/It waits for somebody of Facilities|Fatou Diallo has it/, {
    timeout: 15_000,
  });
});

test("the catalogue and the form are for everybody", async ({ page }) => {
  test.setTimeout(90_000);
  await signIn(page, "manager", "/new/HR");
  await page.getByLabel("Title").fill(title("Letter"));
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
  await page.goto("/new/IT_HARDWARE");
  await page.getByLabel("Title").fill(title("Kept"));
  await expect(saved(page)).toBeVisible();
  for (const width of [320, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
  }
  await page.goto("/new");
  await expect(page.getByRole("region", { name: "Go on with …" })).toBeVisible();
  for (const width of [320, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
  }
  await page.getByLabel("Describe it in your words").fill("laptop");
  await expectNoViolationsInBothThemes(page);
  await page.goto("/my-requests");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.locator("main li").first()).toBeVisible();
  for (const width of [320, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoViolationsInBothThemes(page);
    await expectNoSidewaysScroll(page);
  }
});
