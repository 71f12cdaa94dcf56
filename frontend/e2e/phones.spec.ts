/** One's own phone: named, proved with the code that comes, told at and answered from; by a gateway of this test's own. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { as, expectNoSidewaysScroll, expectNoViolations, PASSWORD, signIn, title } from "./support";

const SECRET = "journeySecret0123456789";
const PHONE = `+49151${Date.now().toString().slice(-8)}`;
const taken: { to: string; text: string }[] = [];
let gateway: Server;

test.describe.configure({ mode: "serial" });

async function token(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  const { access_token } = (await login.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}

async function channel(request: APIRequestContext, isOn: boolean, settings: object): Promise<void> {
  const headers = await token(request, "admin");
  const list = (await (await request.get("/api/v1/notification-channels", { headers })).json()) as {
    items: { key: string; version: number }[];
  };
  const version = list.items.find((c) => c.key === "sms")?.version;
  const put = await request.put("/api/v1/notification-channels/sms", {
    headers,
    data: { version, is_on: isOn, settings },
  });
  expect(put.status(), await put.text()).toBe(200);
}

test.beforeAll(async ({ playwright, baseURL }) => {
  gateway = createServer((asked, answer) => {
    const query = new URL(asked.url ?? "", "http://x").searchParams;
    taken.push({ to: query.get("to") ?? "", text: query.get("text") ?? "" });
    answer.writeHead(202).end("0: Accepted for delivery");
  });
  await new Promise<void>((done) => gateway.listen(0, "127.0.0.1", done));
  const request = await playwright.request.newContext({ baseURL });
  await channel(request, true, {
    driver: "generic-http",
    sender: "+4932211234567",
    url: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/send`,
    parameters: "to={to}&text={text}",
    hook_secret: SECRET,
    takes_replies: true,
  });
  await request.dispose();
});

test.afterAll(async ({ playwright, baseURL }) => {
  const request = await playwright.request.newContext({ baseURL });
  await channel(request, false, {});
  await request.dispose();
  gateway.close();
});

/** The newest message to the phone that has this in it; waits for it. */
async function message(words: RegExp): Promise<RegExpExecArray> {
  let found: RegExpExecArray | null = null;
  await expect
    .poll(
      () => {
        for (const one of taken) if (one.to === PHONE) found = words.exec(one.text) ?? found;
        return found;
      },
      { timeout: 30_000 },
    )
    .not.toBeNull();
  return found as unknown as RegExpExecArray;
}

async function checked(page: Page): Promise<void> {
  for (const width of [320, 1440])
    for (const colorScheme of ["light", "dark"] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      await page.getByRole("heading", { name: "Your phones" }).scrollIntoViewIfNeeded();
      await expectNoSidewaysScroll(page);
      await expectNoViolations(page);
    }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
}

test("a phone is proved, told at, and answers", async ({ page, request }) => {
  test.setTimeout(180_000);
  await signIn(page, "manager", "/account/notifications");
  await page.getByRole("heading", { name: "Your phones" }).scrollIntoViewIfNeeded();
  await checked(page);
  await page.getByLabel("Phone number").fill("0151 12345678");
  await page.getByRole("button", { name: "Send a code" }).click();
  await expect(page.getByText("Enter a number with its country, such as +49 151 12345678.")).toBeVisible();
  await page.getByLabel("Phone number").fill(PHONE);
  await page.getByRole("button", { name: "Send a code" }).click();
  const field = page.getByLabel("Code", { exact: true });
  await expect(field).toBeFocused();
  await expect(page.getByText("Not confirmed yet")).toBeVisible();
  const code = (await message(/^(\d{6}) is your code/))[1] ?? "";
  await field.fill("12");
  await field.press("Enter");
  await expect(page.getByText("The code has six digits.")).toBeVisible();
  await field.fill(code === "000000" ? "000001" : "000000");
  await field.press("Enter");
  await expect(page.getByText("This is not the code we sent. 4 tries are left.")).toBeVisible();
  await checked(page);
  await field.fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByLabel("Phone number")).toBeFocused();
  await expect(page.getByText("In use").first()).toBeVisible();

  const asked = page.getByRole("group", { name: "Your approval is asked for" });
  await asked.getByRole("checkbox", { name: "SMS" }).check();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Everything is saved")).toBeVisible();

  const what = title("Texted");
  const made = await request.post("/api/v1/tickets", {
    data: {
      title: what,
      ticket_type: "IT_HARDWARE",
      custom_fields: { budget_code: "MKT-1", justification: "For the journey" },
      amount: "500.00",
      currency: "USD",
      submit: true,
    },
    headers: await token(request, "employee"),
  });
  expect(made.status(), await made.text()).toBe(201);
  const { id } = (await made.json()) as { id: number };
  const [said, reply] = await message(new RegExp(`${what}[^]*Reply APPROVE (\\w{5}) or REJECT`));
  expect(said).not.toContain("/decide/");
  const brought = await request.get(`/api/v1/integrations/sms/gateway/${SECRET}/messages`, {
    params: { from: PHONE, text: `approve ${reply} go ahead`, id: what },
  });
  expect(brought.status()).toBe(200);
  await message(new RegExp(`Approved\\. [^]*${what}`));
  await page.goto(`/tickets/${id}`);
  await expect(page.getByText("go ahead").first()).toBeVisible();
});

test("too many wrong codes, and a new one", async ({ browser }) => {
  test.setTimeout(120_000);
  const page = await as(browser, "finance2", "/account/notifications");
  await page.getByLabel("Phone number").fill(PHONE);
  await page.getByRole("button", { name: "Send a code" }).click();
  const field = page.getByLabel("Code", { exact: true });
  await expect(field).toBeFocused();
  for (const left of [/4 tries are left/, /3 tries are left/, /2 tries are left/, /One try is left/]) {
    await field.fill("000000");
    await field.press("Enter");
    await expect(page.getByText(left)).toBeVisible();
  }
  await field.fill("000000");
  await field.press("Enter");
  await expect(page.getByText("Too many wrong codes were entered. Ask for a new one.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Confirm" })).toHaveCount(0);
  await checked(page);
  await page.getByRole("button", { name: "Send a new code" }).click();
  await expect(field).toBeFocused();
  await page.getByRole("button", { name: `Remove SMS ${PHONE}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByLabel("Phone number")).toBeVisible();
});
