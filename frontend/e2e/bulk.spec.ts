/** Many tickets at once: selected, looked at first, done in a job, tried again, taken back. */
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type APIRequestContext } from "@playwright/test";
import { expectFound, PASSWORD, signIn, title } from "./support";

/** So many requests for support with this title, written by the employee. */
async function make(request: APIRequestContext, what: string, count: number): Promise<void> {
  const login = await request.post("/api/v1/auth/login", {
    data: { username: "employee", password: PASSWORD },
  });
  const { access_token } = (await login.json()) as { access_token: string };
  const headers = { Authorization: `Bearer ${access_token}` };
  for (let n = 0; n < count; n += 1) {
    const made = await request.post("/api/v1/tickets", {
      data: { title: `${what} ${n}`, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true },
      headers,
    });
    expect(made.status()).toBe(201);
  }
  await expectFound(request, headers, what, count);
}

test("150 tickets: across pages, only what may be changed, with the reasons, and back again", async ({
  page,
  request,
}) => {
  test.setTimeout(120_000);
  const what = title("Rollout");
  await make(request, what, 150);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}&sort=created_at`);
  await page
    .getByLabel(/^Select ITS-/)
    .first()
    .click();
  await page
    .getByLabel(/^Select ITS-/)
    .nth(4)
    .click({ modifiers: ["Shift"] });
  await expect(page.getByText("5 tickets selected")).toBeVisible();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await expect(page.getByText("All tickets that match are selected")).toBeVisible();

  const bar = page.getByRole("region", { name: "Selected tickets" });
  await bar.getByRole("button", { name: "Priority" }).click();
  await page.getByRole("menuitem", { name: "High" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("150 tickets will be changed")).toBeVisible({ timeout: 20_000 });
  await dialog.getByRole("button", { name: "Change 150 tickets" }).click();
  const job = page.getByRole("region", { name: "Progress" });
  await expect(job.getByText("150 tickets changed")).toBeVisible({ timeout: 40_000 });
  await expect(page.getByRole("row").nth(1).getByText("High")).toBeVisible({ timeout: 15_000 });
  await job.getByRole("button", { name: "Undo" }).click();
  await expect(job.getByText("150 tickets taken back")).toBeVisible({ timeout: 40_000 });
  await expect(page.getByRole("row").nth(1).getByText("Medium")).toBeVisible({ timeout: 15_000 });
});

test("tags come and go, and one watches many", async ({ page, request }) => {
  const what = title("Tagged");
  await make(request, what, 3);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}&sort=created_at`);
  await page.getByLabel("Select all shown").click();
  const bar = page.getByRole("region", { name: "Selected tickets" });
  await bar.getByRole("button", { name: "Tags" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Tags", { exact: true }).fill("vpn, rollout");
  await dialog.getByRole("button", { name: "See what would change" }).click();
  await dialog.getByRole("button", { name: "Change 3 tickets" }).click();
  const job = page.getByRole("region", { name: "Progress" });
  await expect(job.getByText("3 tickets changed")).toBeVisible({ timeout: 20_000 });
  await job.getByRole("button", { name: "Undo" }).click();
  await expect(job.getByText("3 tickets taken back")).toBeVisible({ timeout: 20_000 });

  await page.getByLabel("Select all shown").click();
  await bar.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Watch", exact: true }).click();
  await dialog.getByRole("button", { name: "Change 3 tickets" }).click();
  await expect(job.getByText("3 tickets changed")).toBeVisible({ timeout: 20_000 });
});

test("what cannot be done is said before and after", async ({ page, request }) => {
  const what = title("Mixed");
  await make(request, what, 3);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}&sort=created_at`);
  await page.getByRole("link", { name: `${what} 0` }).click();
  await page.getByRole("button", { name: "Start work" }).click();
  await expect(page.locator("header").getByText("In progress")).toBeVisible();
  await page.goBack();
  await page.getByLabel("Select all shown").click();
  const bar = page.getByRole("region", { name: "Selected tickets" });
  await bar.getByRole("button", { name: "Status" }).click();
  await page.getByRole("menuitem", { name: "Completed" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("1 ticket will be changed")).toBeVisible();
  await expect(dialog.getByText("A ticket that is APPROVED cannot become COMPLETED.")).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((v) => v.id)).toEqual([]);
  await dialog.getByRole("button", { name: "Change 1 ticket" }).click();
  await expect(page.getByRole("region", { name: "Progress" }).getByText("1 ticket changed")).toBeVisible();
  await expect(bar).toBeHidden();

  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await expect(bar.getByText("1 ticket selected")).toBeVisible();
  await bar.getByRole("button", { name: "Comment" }).click();
  await dialog.getByLabel("Comment").fill("All of them next week");
  await dialog.getByRole("button", { name: "See what would change" }).click();
  await dialog.getByRole("button", { name: "Change 1 ticket" }).click();
  await expect(page.getByRole("region", { name: "Progress" }).getByText("1 ticket changed")).toBeVisible();
});

test("who does not work on tickets selects none", async ({ page }) => {
  await signIn(page, "employee", "/tickets");
  await expect(page.getByRole("table")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: /^Select/ })).toHaveCount(0);
});
