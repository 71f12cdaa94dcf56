/** A directory that cannot be read: it is said why, nothing is done, and the look stays in its history. */
import { expect, test, type APIRequestContext } from "@playwright/test";
import { expectNoViolations, PASSWORD, signIn } from "./support";

const API = "/api/v1/identity-providers";

async function administrator(request: APIRequestContext): Promise<Record<string, string>> {
  const answer = await request.post("/api/v1/auth/login", {
    data: { username: "admin", password: PASSWORD },
  });
  const { access_token } = (await answer.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}

test("a directory that does not answer changes nothing", async ({ page, request }) => {
  const headers = await administrator(request);
  const settings = {
    flavour: "openldap",
    servers: ["10.255.255.1:9"], // inside, and no journey allows it,
    base_dn: "dc=example,dc=com",
    bind_dn: "cn=waypost,dc=example,dc=com",
    bind_password: "none",
  };
  const key = `dir-${Date.now().toString(36)}`;
  const made = await request.post(API, { headers, data: { kind: "ldap", key, name: "Basement", settings } });
  expect(made.status()).toBe(201);
  const { id } = (await made.json()) as { id: number };
  try {
    const asked = await request.post(`${API}/${id}/runs`, { headers, data: { is_dry: true } });
    expect(asked.status()).toBe(201);
    const run = (await asked.json()) as { id: number };
    await signIn(page, "admin", `/settings/identity-providers/${id}/runs/${run.id}`);
    await expect(page.getByText("Failed", { exact: true })).toBeVisible({ timeout: 30_000 });
    await expect(page.getByText("10.255.255.1 lies inside this network")).toBeVisible();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectNoViolations(page);
    }
    await page.getByRole("link", { name: "Looks at the directory" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Looks at the directory" })).toBeVisible();
    await expect(page.getByText("10.255.255.1 lies inside this network")).toBeVisible();
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await expectNoViolations(page);
    }
  } finally {
    await request.delete(`${API}/${id}`, { headers });
  }
});
