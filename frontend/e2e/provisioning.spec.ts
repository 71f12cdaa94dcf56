import { expect, test } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolations, signIn } from "./support";

const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";

test("an identity system is set up, pushes somebody and a group, and what it was refused is seen", async ({
  page,
  request,
}) => {
  const stamp = Date.now().toString(36);
  await signIn(page, "admin");
  await page.goto("/settings/provisioning");
  await page.getByRole("button", { name: "Add a system" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(`Directory ${stamp}`);
  await dialog.getByRole("button", { name: "Add a system" }).click();
  await expect(page.getByRole("heading", { name: `Directory ${stamp}`, level: 1 })).toBeVisible();
  const base = await page.locator("code").first().innerText();
  expect(base).toContain("/scim/v2");

  await page.getByRole("button", { name: "Make a token" }).click();
  const made = page.getByRole("dialog", { name: "Your new token" });
  const token = (await made.locator("code").innerText()).trim();
  expect(token).toMatch(/^wsc_/);
  await made.getByRole("button", { name: "I have entered it" }).click();
  await expect(page.getByText("never used")).toBeVisible();
  for (const rule of ["Creates people", "Updates people", "Switched on"]) {
    const saved = page.waitForResponse((r) => r.request().method() === "PUT" && r.ok());
    await page.getByRole("switch", { name: rule }).click();
    await saved;
    await expect(page.getByRole("switch", { name: rule })).toBeChecked();
  }

  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/scim+json" };
  const address = `pushed.${stamp}@people.example.com`;
  const user = { schemas: [USER], userName: address, emails: [{ value: address }] };
  const pushed = await request.post("/scim/v2/Users", { headers, data: user });
  expect(pushed.status()).toBe(201);
  expect((await request.post("/scim/v2/Users", { headers, data: user })).status()).toBe(409);
  const { id } = (await pushed.json()) as { id: string };
  const group = { schemas: [GROUP], displayName: `Agents ${stamp}`, members: [{ value: id }] };
  expect((await request.post("/scim/v2/Groups", { headers, data: group })).status()).toBe(201);

  await page.reload();
  await expect(page.getByText("There is a user with this userName already.")).toBeVisible();
  const roles = page.getByRole("combobox", { name: `Roles of Agents ${stamp}` });
  await roles.click();
  const mapped = page.waitForResponse((r) => r.url().endsWith("/groups") && r.request().method() === "PUT");
  await page.getByRole("option", { name: "Agent", exact: true }).click();
  expect((await mapped).ok()).toBe(true);
  await page.keyboard.press("Escape");
  await expect(roles).toContainText("Agent");

  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    await expectNoViolations(page);
  }

  for (const width of [320, 768, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
  }
  await page.getByRole("button", { name: /^Revoke wsc_/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(page.getByText("There is no token yet.")).toBeVisible();
  expect((await request.get("/scim/v2/Users", { headers })).status()).toBe(401);

  await page.getByRole("button", { name: "Remove this system" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove this system" }).click();
  await expect(page.getByRole("heading", { name: "Provisioning (SCIM)", level: 1 })).toBeVisible();
});
