/** A copy of one's own data, and the two who erase what is personal about somebody who left. */
import { expect, test, type APIRequestContext } from "@playwright/test";
import { as, PASSWORD, signIn } from "./support";

async function token(request: APIRequestContext): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username: "admin", password: PASSWORD } });
  expect(login.status(), await login.text()).toBe(200);
  const { access_token } = (await login.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}

async function hire(request: APIRequestContext, name: string, roles: string[]): Promise<number> {
  const made = await request.post("/api/v1/users", {
    headers: await token(request),
    data: {
      username: name,
      email: `${name}@example.com`,
      first_name: "Quillon",
      last_name: name,
      roles,
      password: PASSWORD,
    },
  });
  expect(made.status(), await made.text()).toBe(201);
  return ((await made.json()) as { id: number }).id;
}

const unique = () => Date.now().toString(36);

test("one makes a copy of one's own data and takes it along", async ({ page, request }) => {
  test.setTimeout(90_000);
  const name = `own${unique()}`;
  await hire(request, name, ["employee"]);
  await signIn(page, name, "/account/security");
  await page.getByRole("link", { name: "Take it along" }).click();
  await page.getByRole("button", { name: "Make a copy" }).click();
  await expect(page.getByText(/^Ready/)).toBeVisible({ timeout: 40_000 });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: /^Download the copy/ }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("personal-data.zip");
});

test("who left is erased by two", async ({ page, browser, request }) => {
  test.setTimeout(90_000);
  const [name, other] = [`gone${unique()}`, `second${unique()}`];
  const id = await hire(request, name, ["employee"]);
  const second = await hire(request, other, ["employee", "admin"]);
  const headers = await token(request);
  await request.put(`/api/v1/users/${id}/active`, { headers, data: { is_active: false } });
  try {
    await signIn(page, "admin", `/settings/people/${id}?tab=privacy`);
    await page.getByLabel("Why", { exact: true }).fill("Asked for by letter");
    await page.getByRole("button", { name: "Ask for erasure" }).click();
    await expect(page.getByText("Another administrator has to do it.")).toBeVisible();
    const theirs = await as(browser, other, "/settings/personal-data");
    await theirs.getByRole("link", { name: `Quillon ${name}` }).click();
    await theirs.getByRole("button", { name: "Erase", exact: true }).click();
    await theirs.getByRole("dialog").getByRole("button", { name: "Erase", exact: true }).click();
    await expect(theirs.getByRole("heading", { level: 1, name: `Former employee ${id}` })).toBeVisible();
  } finally {
    // the journeys of others count on one administrator
    await request.put(`/api/v1/users/${second}/active`, { headers, data: { is_active: false } });
  }
});
