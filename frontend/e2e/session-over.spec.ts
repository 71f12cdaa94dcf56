/** A session that ends while one works: what is typed stays, in every editor, and is saved after signing in again. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { expectNoViolations, PASSWORD, signIn, title } from "./support";

async function asAdmin(request: APIRequestContext): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username: "admin", password: PASSWORD } });
  return { authorization: `Bearer ${((await login.json()) as { access_token: string }).access_token}` };
}

interface Person {
  id: number;
  username: string;
}

/** Another administrator, whom no other journey knows. */
async function administrator(request: APIRequestContext): Promise<Person> {
  const username = title("steady").replace(/\s/g, "");
  const added = await request.post("/api/v1/users", {
    headers: await asAdmin(request),
    data: {
      username,
      email: `${username}@example.com`,
      first_name: "Stella",
      last_name: "Steady",
      password: PASSWORD,
      roles: ["admin"],
      department_id: null,
      manager_id: null,
    },
  });
  expect(added.status()).toBe(201);
  return (await added.json()) as Person;
}

/** Somebody else ends all of theirs; then the page looks for news, as it does when one comes back to it. */
async function endsElsewhere(page: Page, request: APIRequestContext, who: Person): Promise<void> {
  const ended = await request.delete(`/api/v1/users/${who.id}/sessions`, { headers: await asAdmin(request) });
  expect(ended.ok()).toBe(true);
  await page.clock.fastForward("00:05:00");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await expect(page.getByRole("dialog", { name: "Please sign in again" })).toBeVisible();
}

/** Signs in again, and waits until what is shown has been read anew. */
async function again(page: Page, path: string): Promise<void> {
  const news = page.waitForResponse(
    (answer) => answer.url().includes(`/api/v1${path}`) && answer.request().method() === "GET" && answer.ok(),
  );
  const ended = page.getByRole("dialog", { name: "Please sign in again" });
  await ended.getByLabel("Password").fill(PASSWORD);
  await ended.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(ended).toBeHidden();
  await news;
}

test("a destination of the trail that is being set up", async ({ page, request }) => {
  const who = await administrator(request);
  const name = title("Steady SIEM");
  await page.clock.install();
  await signIn(page, who.username, "/settings/audit-streams");
  await page.getByRole("button", { name: "Add a destination" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a destination" });
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  await dialog.getByLabel("Receiver", { exact: true }).fill("siem.example.com");
  await endsElsewhere(page, request, who);
  await expectNoViolations(page);
  await again(page, "/audit/streams");
  await expect(dialog.getByLabel("Name", { exact: true })).toHaveValue(name);
  await expect(dialog.getByLabel("Receiver", { exact: true })).toHaveValue("siem.example.com");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole("button", { name: `Remove ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
  await expect(page.getByRole("listitem").filter({ hasText: name })).toHaveCount(0);
});

test("a provider's settings, whose save is refused and sent again", async ({ page, request }) => {
  const who = await administrator(request);
  const headers = await asAdmin(request);
  const key = `steady${Date.now().toString(36)}`;
  const made = await request.post("/api/v1/identity-providers", {
    headers,
    data: { kind: "oidc", key, name: "Before", settings: {} },
  });
  expect(made.status()).toBe(201);
  const { id, version } = (await made.json()) as { id: number; version: number };
  await page.clock.install();
  await signIn(page, who.username, `/settings/identity-providers/${id}`);
  const form = page.getByRole("form", { name: "Settings of the provider" });
  const name = form.getByRole("textbox", { name: "Name*" });
  const save = form.getByRole("button", { name: "Save", exact: true });
  await name.fill("After all");
  // It ends, nothing has looked for news, and the first thing that tells is the save.
  const ended = await request.delete(`/api/v1/users/${who.id}/sessions`, { headers });
  expect(ended.ok()).toBe(true);
  await save.click();
  await expect(page.getByRole("dialog", { name: "Please sign in again" })).toBeVisible();
  await endsElsewhere(page, request, who);
  await again(page, `/identity-providers/${id}`);
  await expect(name).toHaveValue("After all");
  await expect(form.getByRole("alert")).toContainText("Sign in and try once more");
  const read = async () =>
    (await (await request.get(`/api/v1/identity-providers/${id}`, { headers })).json()) as {
      name: string;
      version: number;
    };
  expect((await read()).version, "what was refused is not sent behind one's back").toBe(version);
  await save.click();
  await expect.poll(async () => (await read()).name).toBe("After all");
  await request.delete(`/api/v1/identity-providers/${id}`, { headers });
});

test("the words of a notice", async ({ page, request }) => {
  const who = await administrator(request);
  const words = title("Your words wait");
  await page.clock.install();
  await signIn(page, who.username, "/settings/templates/role-ended?language=fr");
  const body = page.getByLabel("Text", { exact: true });
  await expect(body).toBeVisible();
  const before = await body.inputValue();
  await body.fill(`${before}\n{# ${words} #}`);
  await endsElsewhere(page, request, who);
  await again(page, "/notification-templates/");
  await expect(body).toHaveValue(new RegExp(words));
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Saved").first()).toBeVisible();
  await page.reload();
  await expect(body).toHaveValue(new RegExp(words));
  await body.fill(before);
  await page.getByRole("button", { name: "Save", exact: true }).click();
});

test("a role and a person", async ({ page, request }) => {
  const who = await administrator(request);
  const headers = await asAdmin(request);
  const key = `steady_${Date.now()}`;
  const made = await request.post("/api/v1/roles", { headers, data: { key, name: key, permissions: [] } });
  expect(made.status()).toBe(201);
  const { id } = (await made.json()) as { id: number };
  await page.clock.install();
  await signIn(page, who.username, `/settings/roles/${id}`);
  const description = page.getByLabel("What it is for");
  await description.fill("Keeps what is typed");
  await endsElsewhere(page, request, who);
  await again(page, "/roles");
  await expect(description).toHaveValue("Keeps what is typed");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect
    .poll(async () => {
      const role = await (await request.get(`/api/v1/roles/${id}`, { headers })).json();
      return (role as { description: string }).description;
    })
    .toBe("Keeps what is typed");
  await request.delete(`/api/v1/roles/${id}`, { headers });

  await page.goto(`/settings/people/${who.id}`);
  const job = page.getByLabel("Job title");
  await job.fill("Lighthouse keeper");
  await endsElsewhere(page, request, who);
  await again(page, `/users/${who.id}`);
  await expect(job).toHaveValue("Lighthouse keeper");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Stella Steady is saved").first()).toBeVisible();
});

test("a workflow that is being designed", async ({ page, request }) => {
  const who = await administrator(request);
  const headers = await asAdmin(request);
  const name = title("Steady");
  const made = await request.post("/api/v1/approval-workflows", {
    headers,
    data: {
      name,
      condition: { all: [{ field: "title", op: "eq", value: name }] },
      stages: [
        {
          name: "Manager",
          condition: null,
          approvers: [{ kind: "REQUESTER_MANAGER" }],
          mode: "PARALLEL",
          quorum: "ALL",
          due_in_minutes: 2880,
          escalation: null,
        },
      ],
    },
  });
  expect(made.status()).toBe(201);
  const { id } = (await made.json()) as { id: number };
  await page.clock.install();
  await signIn(page, who.username, `/settings/workflows/${id}`);
  await expect(page.getByText("As published, version 1")).toBeVisible();
  await page.getByRole("navigation", { name: "Outline" }).locator("[data-row]").nth(1).click();
  const field = page.locator(".workflow-panel").getByLabel("Name");
  const ended = await request.delete(`/api/v1/users/${who.id}/sessions`, { headers });
  expect(ended.ok()).toBe(true);
  await field.fill("Whoever keeps the light");
  await endsElsewhere(page, request, who);
  await again(page, `/approval-workflows/${id}`);
  await expect(field).toHaveValue("Whoever keeps the light");
  await field.press("End");
  await field.pressSequentially("house");
  await expect(page.getByText(/^Draft saved at/)).toBeVisible();
  await page.clock.runFor(3000);
  await expect
    .poll(async () => (await request.get(`/api/v1/approval-workflows/${id}/draft`, { headers })).text())
    .toContain("Whoever keeps the lighthouse");
});

test("somebody else who signs in instead sees a page of their own", async ({ page, request }) => {
  const who = await administrator(request);
  await page.clock.install();
  await signIn(page, who.username, "/account/security");
  await endsElsewhere(page, request, who);
  const other = await page.context().newPage();
  await signIn(other, "employee", "/tickets");
  const loaded = page.waitForEvent("load");
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await loaded;
  await expect(page.getByRole("dialog", { name: "Please sign in again" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Account of Jane Doe" })).toBeVisible();
});

for (const takesTurns of [true, false])
  test(`confirming in one tab while another renews ends nothing, ${takesTurns ? "" : "not even "}where tabs ${takesTurns ? "" : "cannot "}take turns`, async ({
    page,
    request,
  }) => {
    test.setTimeout(90_000);
    const who = await administrator(request);
    if (!takesTurns)
      await page.context().addInitScript(() => {
        Object.defineProperty(Navigator.prototype, "locks", { get: () => undefined });
      });
    await signIn(page, who.username, "/account/sessions");
    const other = await page.context().newPage();
    await other.goto("/tickets");
    await expect(other.getByRole("heading", { level: 1 })).toBeVisible();
    // As after five minutes, at each first asking: that it is them has to be shown once more.
    let isAsked = false;
    await page.route("**/auth/sessions/end-others", async (route) => {
      isAsked = !isAsked;
      if (!isAsked) return route.continue();
      await route.fulfill({
        status: 403,
        contentType: "application/problem+json",
        json: { status: 403, code: "step_up_needed", detail: "Please confirm.", factors: ["password"] },
      });
    });
    const answers: number[] = [];
    page.context().on("response", (answer) => {
      if (answer.url().endsWith("/auth/step-up")) answers.push(answer.status());
    });
    for (let round = 1; round <= 4; round += 1) {
      const elsewhere = await request.post("/api/v1/auth/login", {
        data: { username: who.username, password: PASSWORD },
      });
      expect(elsewhere.ok()).toBe(true);
      await page.reload();
      await page.getByRole("button", { name: "End all others" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "End all others" }).click();
      const asked = page.getByRole("dialog", { name: "Confirm it's you" });
      await asked.getByLabel(/assword/).fill(PASSWORD);
      await Promise.all([asked.getByRole("button", { name: "Confirm" }).click(), other.reload()]);
      await expect(asked).toBeHidden();
      await expect(page.getByText(/^Password ·/)).toHaveCount(1);
      await expect(other.getByRole("heading", { level: 1 })).toBeVisible();
      for (const tab of [page, other])
        await expect(tab.getByRole("dialog", { name: "Please sign in again" })).toHaveCount(0);
    }
    expect(answers.filter((status) => status === 200)).toHaveLength(4);
    await other.reload();
    await expect(other.getByRole("heading", { level: 1, name: "Tickets" })).toBeVisible();
    await page.reload();
    await expect(page.getByText(/^Password ·/)).toHaveCount(1);
  });
