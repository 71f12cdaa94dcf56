/** A decision signed with a passkey: laid before its approver in words, signed, kept, and told as signed and verified. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolations, PASSWORD, title } from "./support";

/** Headers of somebody who is signed in. */
async function headersOf(request: APIRequestContext, username: string): Promise<{ authorization: string }> {
  const entered = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  const { access_token } = (await entered.json()) as { access_token: string };
  return { authorization: `Bearer ${access_token}` };
}

/** A manager and somebody who reports to them: nobody else's sign-in changes. */
async function twoPeople(request: APIRequestContext): Promise<{ manager: string; employee: string }> {
  const headers = await headersOf(request, "admin");
  const add = async (first_name: string, roles: string[], manager_id: number | null) => {
    const username = title(first_name).replace(" ", "").toLowerCase();
    const data = {
      username,
      email: `${username}@example.com`,
      first_name,
      last_name: "Signer",
      password: PASSWORD,
    };
    const made = await request.post("/api/v1/users", {
      headers,
      data: { ...data, roles, department_id: null, manager_id },
    });
    expect(made.status(), await made.text()).toBe(201);
    return { username, id: ((await made.json()) as { id: number }).id };
  };
  const manager = await add("Mona", ["employee", "manager"], null);
  const employee = await add("Emil", ["employee"], manager.id);
  return { manager: manager.username, employee: employee.username };
}

async function ask(
  request: APIRequestContext,
  username: string,
  what: string,
  amount: string,
): Promise<number> {
  const made = await request.post("/api/v1/tickets", {
    headers: await headersOf(request, username),
    data: {
      title: what,
      description: "Two screens for the new desk",
      ticket_type: "IT_HARDWARE",
      priority: "MEDIUM",
      amount,
      currency: "USD",
      custom_fields: { budget_code: "MKT-2026-09", justification: "The old ones flicker" },
      submit: true,
    },
  });
  expect(made.status(), await made.text()).toBe(201);
  return ((await made.json()) as { id: number }).id;
}

/** A device of this browser, and its owner signed in with a passkey of that name, at an address that has a name. */
async function withPasskey(page: Page, here: string, username: string, name: string): Promise<void> {
  const devices = await page.context().newCDPSession(page);
  await devices.send("WebAuthn.enable");
  await devices.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(`${here}/login`);
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
  await page.goto(`${here}/account/security`);
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByLabel("What to call it").fill(name);
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByLabel("I have kept them").check();
  await page.getByRole("button", { name: "Done" }).click();
  // signing in with it is a proof, but of nothing that is decided
  await page.context().clearCookies();
  await page.goto(`${here}/login`);
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
}

/** The server's own refusal is held by its tests; here its words are put in its mouth until a signature comes. */
async function refuseUnsigned(page: Page, path: string): Promise<void> {
  await page.route(path, async (at) => {
    const body = at.request().postDataJSON() as { signature?: unknown } | null;
    if (body?.signature) return at.continue();
    await at.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify({
        code: "step_up_needed",
        status: 403,
        title: "",
        detail: "",
        factors: ["passkey"],
      }),
    });
  });
}

for (const [where, size] of Object.entries({
  desktop: { width: 1440, height: 900 },
  phone: { width: 320, height: 640 },
})) {
  test(`on a ${where}, a decision is signed with a passkey and told as signed and verified`, async ({
    page,
    request,
    baseURL,
  }) => {
    test.setTimeout(90_000);
    const here = (baseURL ?? "").replace("127.0.0.1", "localhost"); // devices know addresses by name
    const { manager, employee } = await twoPeople(request);
    const what = title("Two screens");
    const id = await ask(request, employee, what, "640.00");
    await withPasskey(page, here, manager, "YubiKey");
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: where === "phone" ? "dark" : "light" });
    await refuseUnsigned(page, "**/api/v1/approvals/*/approve");
    await page.goto(`${here}/approvals?ticket=${id}`);
    await expect(page.getByRole("heading", { level: 2, name: what })).toBeVisible();
    await page.getByRole("button", { name: "Approve", exact: true }).click();

    const dialog = page.getByRole("dialog", { name: "Sign this decision" });
    await expect(dialog.getByText("You sign that you approve this request")).toBeVisible({ timeout: 20_000 });
    await expect(dialog.getByText(what)).toBeVisible();
    await expect(dialog.getByText(/\$640\.00/)).toBeVisible();
    await expectNoViolations(page);
    await expectNoSidewaysScroll(page);
    const sent = page.waitForResponse((r) => r.url().endsWith("/approve") && r.status() === 200);
    await dialog.getByRole("button", { name: "Sign with a passkey" }).click();
    await expect(dialog).toHaveCount(0);
    await sent;

    await page.goto(`${here}/tickets/${id}`);
    if (where === "phone") await page.getByRole("tab", { name: "Approval" }).click();
    await expect(page.getByText("Signed with the passkey “YubiKey”").first()).toBeVisible({
      timeout: 15_000,
    });
    await expectNoSidewaysScroll(page);
    const history = await page.request.get(`${here}/api/v1/tickets/${id}/history`, {
      headers: await headersOf(request, employee),
    });
    const { items } = (await history.json()) as { items: { summary: string }[] };
    expect(items.map((i) => i.summary)).toContain("signed the approval with a passkey; verified");
  });
}

test("several are signed with one touch, and who turns away decides nothing", async ({
  page,
  request,
  baseURL,
}) => {
  test.setTimeout(90_000);
  const here = (baseURL ?? "").replace("127.0.0.1", "localhost");
  const { manager, employee } = await twoPeople(request);
  const names = [title("First"), title("Second")];
  const ids = [];
  for (const name of names) ids.push(await ask(request, employee, name, "300.00"));
  await withPasskey(page, here, manager, "Phone");
  // as the queue tells it where such requests need a confirmation
  await page.route("**/api/v1/approvals/pending*", async (at) => {
    const answer = await at.fetch();
    const body = (await answer.json()) as { items: { step_up: boolean }[] };
    await at.fulfill({ json: { ...body, items: body.items.map((item) => ({ ...item, step_up: true })) } });
  });
  await page.goto(`${here}/approvals`);
  for (const name of names) await page.getByRole("checkbox", { name: new RegExp(name) }).check();
  await page
    .getByRole("button", { name: /^Approve/ })
    .filter({ hasText: "2" })
    .first()
    .click();
  const bulk = page.getByRole("dialog", { name: /Approve 2/ });
  await bulk.getByRole("button", { name: /Approve 2/ }).click();
  const dialog = page.getByRole("dialog", { name: "Sign this decision" });
  await expect(dialog.getByText("You sign that you approve these 2 requests")).toBeVisible();
  await expectNoViolations(page);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await bulk.getByRole("button", { name: /Approve 2/ }).click();
  for (const name of names) await expect(dialog.getByText(name)).toBeVisible();
  await dialog.getByRole("button", { name: "Sign with a passkey" }).click();
  await expect(page.getByText(/2 approved|Approved 2|2 requests approved/i).first()).toBeVisible({
    timeout: 15_000,
  });
  const headers = await headersOf(request, employee);
  for (const id of ids) {
    const answer = await request.get(`/api/v1/tickets/${id}/history`, { headers });
    const { items } = (await answer.json()) as { items: { summary: string }[] };
    expect(items.map((i) => i.summary)).toContain(
      "signed the approval with a passkey, together with 1 more; verified",
    );
  }
});
