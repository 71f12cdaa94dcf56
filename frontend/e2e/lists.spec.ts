/** Lists: one set of filters in text, panel and address; views kept and counted; rows without end; a preview; a board. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, PASSWORD, signIn, title } from "./support";

async function token(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  const { access_token } = (await login.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}
/** A request for support, written by the employee; those need no yes. */
async function ask(request: APIRequestContext, what: string, more: object = {}): Promise<number> {
  const made = await request.post("/api/v1/tickets", {
    data: { title: what, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true, ...more },
    headers: await token(request, "employee"),
  });
  expect(made.status()).toBe(201);
  return ((await made.json()) as { id: number }).id;
}
const text = (page: Page) => page.getByRole("combobox", { name: "Filter text" });
const rows = (page: Page) => page.locator("tr.wp-list-row");

test("the filter text, the panel and the address say the same", async ({ page, request }) => {
  const what = title("Filtered");
  await ask(request, `${what} a`, { priority: "HIGH" });
  await ask(request, `${what} b`, { priority: "LOW" });
  await signIn(page, "agent", "/tickets");
  await text(page).fill(`priority:high ${what}`);
  await text(page).press("Enter");
  await expect(page).toHaveURL(/priority=HIGH/);
  await expect(page.getByLabel("High")).toBeChecked();
  await expect(rows(page)).toHaveCount(1);
  await expect(page.getByRole("main").getByText("1 ticket", { exact: true })).toBeVisible();

  await page.getByLabel("Low", { exact: true }).check();
  await expect(text(page)).toHaveValue(`priority:high,low ${what}`);
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole("button", { name: "High (remove filter)" }).click();
  await expect(text(page)).toHaveValue(`priority:low ${what}`);
  await page.reload();
  await expect(text(page)).toHaveValue(`priority:low ${what}`);
  await expect(rows(page)).toHaveCount(1);

  await text(page).fill(`-priority:low created:>1d colour:red ${what}`);
  await text(page).press("Enter");
  await expect(page.getByText("there is no filter “colour”")).toBeVisible();
  await expect(page.getByRole("button", { name: "Not Low" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Created in the last 1 day" })).toBeVisible();
  await expect(rows(page)).toHaveCount(1);

  // what can be written is offered, by name too
  await text(page).fill("");
  await text(page).pressSequentially("ass");
  await page.getByRole("option", { name: /^assignee:/ }).click();
  await text(page).pressSequentially("novak");
  await page.getByRole("option", { name: /Novak/ }).click();
  await expect(page.getByRole("button", { name: "Assignee: Amir Novak" })).toBeVisible();
  await expect(text(page)).toHaveValue(/assignee:agent/);
});

test("a view is saved, pinned with its count, changed, shared and deleted", async ({
  page,
  request,
  browser,
}) => {
  const what = title("Viewed");
  const name = title("Mine");
  await ask(request, `${what} 1`);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}`);
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: "Save or change a view" }).click();
  await page.getByRole("menuitem", { name: "Save as a view" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Pin to the side bar").check();
  await expectNoViolations(page);
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  const pin = page.getByRole("region", { name: "Pinned views" }).getByRole("link", { name });
  await expect(pin).toHaveText(new RegExp(`${name}\\s*1$`));
  await ask(request, `${what} 2`);
  await expect(pin).toHaveText(new RegExp(`${name}\\s*2$`), { timeout: 15_000 });

  await expect(page.getByText("Changed", { exact: true })).toHaveCount(0);
  await page.getByRole("combobox", { name: "Order" }).click();
  await page.getByRole("option", { name: "Oldest first" }).click();
  await expect(page.getByText("Changed", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Changed", { exact: true })).toHaveCount(0);

  const colleague = await as(browser, "agent2", "/tickets");
  await colleague.getByRole("button", { name: "Choose a view" }).click();
  await expect(colleague.getByRole("menuitem", { name: "All tickets" })).toBeVisible();
  await expect(colleague.getByRole("menuitem", { name })).toHaveCount(0);
  await colleague.keyboard.press("Escape");

  await page.getByRole("button", { name: "Save or change a view" }).click();
  await page.getByRole("menuitem", { name: "Name and audience" }).click();
  await dialog.getByRole("combobox", { name: "For" }).click();
  await page.getByRole("option", { name: "Team IT Support" }).click();
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toHaveCount(0);
  await colleague.reload();
  await colleague.getByRole("button", { name: "Choose a view" }).click();
  await colleague.getByRole("menuitem", { name }).click();
  await expect(rows(colleague)).toHaveCount(2);
  await expect(colleague).toHaveURL(/sort=created_at/);

  await page.getByRole("button", { name: "Save or change a view" }).click();
  await page.getByRole("menuitem", { name: "Delete this view" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Tickets");
  await expect(pin).toHaveCount(0);
});

test("new rows wait to be asked for, changed ones stay in their place", async ({
  page,
  request,
  browser,
}) => {
  const what = title("Live");
  const first = await ask(request, `${what} first`);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}`);
  await expect(rows(page)).toHaveCount(1);
  const colleague = await as(browser, "employee", "/");
  await ask(colleague.request, `${what} second`);
  const pill = page.getByRole("button", { name: "1 new" });
  await expect(pill).toBeVisible({ timeout: 10_000 });
  await expect(rows(page)).toHaveCount(1);
  await expect(rows(page).first()).toContainText("first");

  const started = await request.post(`/api/v1/tickets/${first}/transitions`, {
    data: { to: "IN_PROGRESS" },
    headers: await token(request, "agent2"),
  });
  expect(started.status()).toBe(200);
  await expect(rows(page).first()).toContainText("In progress", { timeout: 10_000 });
  await pill.click();
  await expect(rows(page)).toHaveCount(2);
  await expect(rows(page).first()).toContainText("second");
  await expect(pill).toHaveCount(0);
});

test("a preview by keyboard: open, step, enter, and back to the same place", async ({ page, request }) => {
  const what = title("Previewed");
  for (const n of [1, 2, 3]) await ask(request, `${what} ${n}`, { description: `The story of ${n}` });
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}&sort=created_at`);
  await expect(rows(page)).toHaveCount(3);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press(" ");
  const preview = page.getByRole("complementary", { name: "Preview" });
  await expect(preview.getByRole("heading", { level: 2 })).toHaveText(`${what} 2`);
  await expect(preview.getByText("The story of 2")).toBeVisible();
  await expect(page).toHaveURL(/preview=\d+/);
  await page.keyboard.press("j");
  await expect(preview.getByRole("heading", { level: 2 })).toHaveText(`${what} 3`);
  await expectNoViolations(page);
  await page.reload();
  await expect(preview.getByRole("heading", { level: 2 })).toHaveText(`${what} 3`);
  await page.keyboard.press("k");
  await page.keyboard.press("Escape");
  await expect(preview).toHaveCount(0);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toContainText(what);
  await page.goBack();
  await expect(page.locator("tr.wp-current")).toHaveCount(1);
});

test("a board: each status for itself, and a card moves where it may", async ({ page, request }) => {
  const what = title("Boarded");
  await ask(request, `${what} card`);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}&group=status`);
  const approved = page.getByRole("region", { name: "Approved 1" });
  await expect(approved.getByText(`${what} card`)).toBeVisible();
  await approved.getByRole("link", { name: `${what} card` }).focus();
  await approved.getByRole("button", { name: /^Move ITS-/ }).press("Enter");
  await page.getByRole("menuitem", { name: "To In progress" }).click();
  const working = page.getByRole("region", { name: "In progress 1" });
  await expect(working.getByText(`${what} card`)).toBeVisible();
  const card = working.getByRole("article");
  await card.hover();
  await expect(card.getByRole("button", { name: /^Move ITS-/ })).toBeVisible();
  const goal = page.getByRole("region", { name: /^Completed/ });
  await goal.scrollIntoViewIfNeeded();
  const box = (await goal.boundingBox()) ?? { x: 0, y: 0 };
  await card.hover();
  await page.mouse.down();
  await page.mouse.move(box.x + 60, box.y + 60, { steps: 8 });
  await page.mouse.move(box.x + 80, box.y + 80, { steps: 4 });
  await page.mouse.up();
  await expect(page.getByRole("region", { name: "Completed 1" }).getByText(`${what} card`)).toBeVisible();
});

test("columns, their order and the rows' height are kept", async ({ page }) => {
  await signIn(page, "agent", "/tickets");
  await expect(rows(page).first()).toBeVisible();
  await page.getByRole("button", { name: "Layout", exact: true }).click();
  await page.getByLabel("Amount", { exact: true }).last().uncheck();
  await page.getByLabel("Due", { exact: true }).last().check();
  await page.getByRole("button", { name: "Move Status up" }).click();
  await page.getByRole("combobox", { name: "Row height" }).click();
  await page.getByRole("option", { name: "Compact" }).click();
  await page.keyboard.press("Escape");
  const heads = page.getByRole("columnheader");
  await expect(heads.nth(2)).toHaveText("Status");
  await page.reload();
  await expect(heads.nth(2)).toHaveText("Status");
  await expect(page).toHaveURL(/columns=number%2Cstatus|columns=number,status/);
  expect((await rows(page).first().boundingBox())?.height).toBeLessThan(32);
});

test("rows without end: none blank, few of them there, each within reach", async ({ page, request }) => {
  test.setTimeout(120_000);
  const many = await request.get("/api/v1/tickets/count", { headers: await token(request, "agent") });
  const { count } = (await many.json()) as { count: number };
  const most = Math.min(count, Number(process.env.ROWS ?? 1000));
  await signIn(page, "agent", "/tickets");
  await expect(rows(page).first()).toBeVisible();
  await page.mouse.move(800, 500);
  let seen = 0;
  let idle = 0;
  while (seen < most - 1 && idle < 100) {
    await page.mouse.wheel(0, 3000);
    await page.waitForTimeout(60);
    const at = await page.evaluate(() => {
      const all = [...document.querySelectorAll<HTMLElement>("tr.wp-list-row")];
      const inSight = all.filter((row) => {
        const box = row.getBoundingClientRect();
        return box.bottom > 120 && box.top < window.innerHeight;
      });
      return {
        rows: all.length,
        blank: inSight.some((row) => !row.innerText.trim()),
        last: Math.max(0, ...all.map((row) => Number(row.getAttribute("aria-rowindex")))),
      };
    });
    expect(at.rows).toBeGreaterThan(0);
    expect(at.rows).toBeLessThan(150);
    expect(at.blank).toBe(false);
    idle = at.last - 1 > seen ? 0 : idle + 1;
    seen = Math.max(seen, at.last - 1);
  }
  expect(seen).toBeGreaterThanOrEqual(most - 1);
});

for (const scheme of ["light", "dark"] as const) {
  test(`no barriers in ${scheme}`, async ({ page }) => {
    test.setTimeout(120_000);
    await page.emulateMedia({ colorScheme: scheme });
    await signIn(page, "agent", "/tickets?status=APPROVED&due=<7d&not=priority:LOW");
    await expect(page.getByRole("button", { name: "Due within 7 days" })).toBeVisible();
    await text(page).press("ArrowDown");
    await expectNoViolations(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Layout", exact: true }).click();
    await expect(page.getByRole("combobox", { name: "Row height" })).toBeVisible();
    await expectNoViolations(page);
    await page.goto("/tickets?group=status");
    await expect(page.getByRole("region", { name: /^In review/ })).toBeVisible();
    await expectNoViolations(page);
    await page.setViewportSize({ width: 320, height: 800 });
    await expectNoSidewaysScroll(page);
    await expectNoViolations(page);
    await page.goto("/tickets?status=APPROVED");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("main").getByRole("listitem").first()).toBeVisible();
    await expectNoSidewaysScroll(page);
    await expectNoViolations(page);
  });
}
