/** Approvals that count working time: whose calendar it is, the stage's switch, and the moment a requester is told. */
import { expect, test } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, PASSWORD, title } from "./support";

const HOURS = [{ from: "03:00", to: "04:00" }];

test("a stage counts the working hours of whoever is asked", async ({ browser, request }) => {
  test.setTimeout(120_000);
  const sign = async (username: string) => {
    const answer = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
    return { Authorization: `Bearer ${(await answer.json()).access_token}` };
  };
  const admin = await sign("admin");
  const manager = await (await request.get("/api/v1/auth/me", { headers: await sign("manager") })).json();
  const name = title("Night desk");
  const added = await request.post("/api/v1/sla/calendars", {
    headers: admin,
    data: { name, zone: "Asia/Tokyo", week: Array.from({ length: 7 }, () => HOURS) },
  });
  expect(added.status()).toBe(201);
  const calendar = await added.json();
  const made = await request.post("/api/v1/approval-workflows", {
    headers: admin,
    data: {
      name,
      condition: { all: [{ field: "title", op: "eq", value: name }] },
      stages: [{ name: "Manager", approvers: [{ kind: "USER", user_id: manager.id }], due_in_minutes: 1440 }],
    },
  });
  expect(made.status()).toBe(201);

  // Whose calendar it is.
  const page = await as(browser, "admin");
  await page.goto(`/settings/people/${manager.id}`);
  const hours = page.getByRole("region", { name: "Working hours" });
  await expect(hours.getByText(/^Works by /)).toBeVisible();
  await hours.getByRole("combobox", { name: "Working hours" }).click();
  await page.getByRole("option", { name }).click();
  await expect(hours.getByText(`Works by “${name}” (Asia/Tokyo)`)).toBeVisible();
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectNoViolations(page);
  }

  // The stage's switch: a day becomes a working day.
  await page.goto(`/settings/workflows/${(await made.json()).id}`);
  await page
    .getByRole("navigation", { name: "Outline" })
    .getByRole("button", { name: /Manager/ })
    .first()
    .click();
  const panel = page.locator(".workflow-panel");
  await panel.getByRole("switch", { name: "Count working time" }).click();
  await expect(panel.getByRole("spinbutton", { name: "Time to decide" })).toHaveValue("8");
  await expect(panel.getByText("After 8 hours of working time: due, with a reminder")).toBeVisible();
  await expectNoViolations(page);
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1440, height: 900 });
  await expect(page.getByText(/^Draft saved at/)).toBeVisible();
  await page.getByRole("button", { name: "Publish …" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText("how time counts").first()).toBeVisible();
  await dialog.getByRole("button", { name: "Publish", exact: true }).click();
  await expect(dialog).toHaveCount(0);

  // What a requester is told before anything is sent: eight nights of an hour, to the last minute.
  const asked = await request.post("/api/v1/tickets/path", {
    headers: await sign("employee"),
    data: { title: name, ticket_type: "IT_HARDWARE", amount: "500.00", currency: "USD", custom_fields: {} },
  });
  const [stage] = (await asked.json()).stages;
  expect(stage).toMatchObject({ counts: "WORKING_TIME", due_in_minutes: 480 });
  const due = new Date(stage.people[0].due_at);
  expect(due.getTime() - Date.now()).toBeGreaterThan(6.9 * 86_400_000);
  expect(due.getUTCHours() * 60 + due.getUTCMinutes()).toBeGreaterThanOrEqual(18 * 60);
  expect(due.getUTCHours() * 60 + due.getUTCMinutes()).toBeLessThanOrEqual(19 * 60);

  // And the manager works as everybody else again.
  await page.goto(`/settings/people/${manager.id}`);
  await hours.getByRole("combobox", { name: "Working hours" }).click();
  await page.getByRole("option", { name: "As their department or the company" }).click();
  await expect(hours.getByText(`Works by “${name}” (Asia/Tokyo)`)).toHaveCount(0);
  await request.delete(`/api/v1/sla/calendars/${calendar.id}`, { headers: admin });
});
