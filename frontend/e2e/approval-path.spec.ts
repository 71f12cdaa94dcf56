/** Who will be asked: on the form before it is sent, and on the ticket from then on. */
import { expect, test, type APIRequestContext } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, PASSWORD, signIn, title } from "./support";

async function tokenOf(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const answer = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  return { Authorization: `Bearer ${(await answer.json()).access_token}` };
}

test("the path changes with the amount, and what is created equals it", async ({ page }) => {
  await signIn(page, "employee", "/new/IT_HARDWARE");
  const path = page.getByRole("region", { name: "Who will be asked" });
  await expect(path.getByText("Goes to Mike Okafor,", { exact: false }).first()).toBeVisible();
  await expect(path.getByText("depends on the amount").first()).toBeVisible();

  await page.getByLabel("Amount").fill("4999.99");
  await expect(path.getByRole("listitem").filter({ hasText: "Henrik Lindqvist" }).first()).toBeVisible();
  await page.getByLabel("Amount").fill("5000.01");
  await expect(path.getByRole("status")).toHaveText(
    "Goes to Finance Committee (2 of 3), because the amount is above 5,000.",
  );
  // Half an amount is none, and the words do not flicker away meanwhile.
  await page.getByLabel("Amount").fill("5000.01x");
  await expect(path.getByRole("status")).toHaveText(/^Goes to Mike Okafor/);
  await page.getByLabel("Amount").fill("5000.01");
  await expect(path.getByRole("status")).toHaveText(/^Goes to Finance Committee/);
  const PEOPLE = ["Farah Haddad", "Felix Moreau", "Fiona Walsh"];
  for (const name of PEOPLE) await expect(path.getByText(name, { exact: true })).toBeVisible();

  await page.getByLabel("Title").fill(title("Server"));
  await page.getByLabel("Budget code").fill("MKT-1");
  await page.getByLabel("Justification").fill("It is full");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
  const flow = page.getByRole("region", { name: "Approval" });
  for (const name of PEOPLE) await expect(flow.getByText(name, { exact: true })).toBeVisible();
});

test("who is away is named, until when", async ({ page, request }) => {
  const headers = await tokenOf(request, "head");
  const me = await (await request.get("/api/v1/auth/me", { headers })).json();
  const at = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const data = { user_id: me.id, starts_at: at(-1), ends_at: at(9), reason: "Holiday" };
  const made = await request.post("/api/v1/absences", { headers, data });
  try {
    await signIn(page, "employee", "/new/IT_HARDWARE");
    await page.getByLabel("Amount").fill("2000");
    const path = page.getByRole("region", { name: "Who will be asked" });
    await expect(path.getByText(/^Away until /)).toBeVisible();
    await expect(path.getByRole("status")).toContainText("Henrik Lindqvist is away until ");
  } finally {
    if (made.ok()) await request.delete(`/api/v1/absences/${(await made.json()).id}`, { headers });
  }
});

test("what needs nobody's approval says so", async ({ page }) => {
  await signIn(page, "employee", "/new/IT_SUPPORT");
  const path = page.getByRole("region", { name: "Who will be asked" });
  await expect(path.getByRole("status")).toHaveText(/^Nobody's approval is needed/);
});

for (const colorScheme of ["light", "dark"] as const)
  test.describe(colorScheme, () => {
    test.use({ colorScheme, viewport: { width: 320, height: 700 } });
    test("fits a phone and is readable by everybody", async ({ browser }) => {
      const page = await as(browser, "employee", "/new/IT_HARDWARE");
      await page.setViewportSize({ width: 320, height: 700 });
      await page.getByLabel("Amount").fill("6000");
      const path = page.getByRole("region", { name: "Who will be asked" });
      await expect(path.getByRole("status")).toHaveText(/Finance Committee/);
      await path.getByText("2 other stages do not apply").click();
      await expectNoSidewaysScroll(page);
      await expectNoViolations(page);
    });
  });
