/** Automation: a rule is made, tried, put to use; it fires, and its log says what it did and why. */
import { expect, test } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolations, PASSWORD, signIn, title } from "./support";

const WORKFLOW = "Purchases by amount"; // of the demo company

test("a rule is made, tried, and fires; its log says why", async ({ page, request }) => {
  const name = title("Rule");
  const what = title("Automated");
  await signIn(page, "admin", "/settings/automation");
  await page.getByRole("link", { name: "Add a rule" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New rule" })).toBeVisible();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("A name is needed.")).toBeVisible();
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("What to do").click();
  await page.getByRole("option", { name: "Tell people" }).click();
  await page.getByLabel("What to tell them").fill("Look at {{ ticket.number }}.");
  await page.getByRole("button", { name: "Tell others as well" }).click();
  await expect(page.getByRole("list", { name: "Whom" }).getByRole("combobox")).toHaveCount(2);
  await page.getByRole("button", { name: "Add an action" }).click();
  await page
    .getByRole("group", { name: "Action 2" })
    .getByLabel("Comment", { exact: true })
    .fill(`Seen by ${name}.`);
  await page.getByRole("button", { name: "Add an action" }).click();
  const third = page.getByRole("group", { name: "Action 3" });
  await third.getByLabel("What to do").click();
  await page.getByRole("option", { name: "Start an approval" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(third.getByRole("alert")).toHaveText("is needed");
  await third.getByLabel("Which workflow").fill("purchases");
  await page.getByRole("option", { name: WORKFLOW }).click();
  await expect(third.getByLabel("Which workflow")).not.toHaveAttribute("aria-activedescendant");
  await page.getByRole("button", { name: "Dry run" }).click();
  await expect(page.getByRole("heading", { name: "What it would do" })).toBeFocused();
  await expect(page.getByText(/Nothing was written\./)).toBeVisible();
  await expectNoViolations(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();

  const login = await request.post("/api/v1/auth/login", {
    data: { username: "employee", password: PASSWORD },
  });
  const { access_token } = (await login.json()) as { access_token: string };
  const made = await request.post("/api/v1/tickets", {
    data: { title: what, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true },
    headers: { Authorization: `Bearer ${access_token}` },
  });
  expect(made.status()).toBe(201);

  await expect(async () => {
    await page.reload();
    await page.getByRole("tab", { name: "Log" }).click();
    await expect(page.getByRole("link", { name: what })).toBeVisible({ timeout: 2000 });
  }).toPass({ timeout: 30_000 });
  const run = page.getByRole("listitem").filter({ hasText: what });
  await expect(run.getByText("Done", { exact: true })).toBeVisible();
  await expect(run.getByText(/comment internally/)).toBeVisible();
  await expect(run.getByText(`start the approval “${WORKFLOW}”`)).toBeVisible();
  await expect(run.getByText(/^Not possible here: A ticket that is APPROVED/)).toBeVisible();
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1440, height: 900 });
  await run.getByRole("link", { name: what }).click();
  await expect(page.getByText(`Seen by ${name}.`)).toBeVisible();

  await page.goto("/settings/automation");
  await page.getByRole("button", { name: `Remove “${name}”` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});
