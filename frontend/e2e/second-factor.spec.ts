import { createHmac } from "node:crypto";
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { expectNoViolations, ownBrowser, PASSWORD, signIn, title } from "./support";

/** The code of a secret for a 30-second step (RFC 6238). */
function codeOf(secret: string, step = Math.floor(Date.now() / 30_000)): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const letter of secret.replace(/\s/g, ""))
    bits += alphabet.indexOf(letter).toString(2).padStart(5, "0");
  const key = Buffer.from(bits.match(/.{8}/g)?.map((byte) => parseInt(byte, 2)) ?? []);
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const at = (mac[19] ?? 0) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Somebody new, with these roles besides that of an employee. */
async function somebody(request: APIRequestContext, roles: string[] = []): Promise<string> {
  const entered = await request.post("/api/v1/auth/login", {
    data: { username: "admin", password: PASSWORD },
  });
  const headers = {
    authorization: `Bearer ${((await entered.json()) as { access_token: string }).access_token}`,
  };
  const username = title("factor").replace(" ", "");
  for (const key of roles) {
    const made = await request.post("/api/v1/roles", { headers, data: { key, name: key, permissions: [] } });
    const { id } = (await made.json()) as { id: number };
    const needed = await request.put(`/api/v1/roles/${id}/second-factor`, {
      headers,
      data: { is_needed: true },
    });
    expect(needed.status()).toBe(200);
  }
  const data = {
    username,
    email: `${username}@example.com`,
    first_name: "Fay",
    last_name: "Factor",
    password: PASSWORD,
  };
  const added = await request.post("/api/v1/users", {
    headers,
    data: { ...data, roles: ["employee", ...roles], department_id: null, manager_id: null },
  });
  expect(added.status()).toBe(201);
  return username;
}

/** From the open form to the codes that are kept; the secret and one of those. */
async function setUp(page: Page): Promise<{ secret: string; recovery: string }> {
  await expect(page.getByRole("img", { name: "QR code for the authenticator app" })).toBeVisible();
  await page.getByText("Type it by hand instead").click();
  const secret = (await page.locator("details code").textContent()) ?? "";
  await page.getByLabel("Code of your authenticator app").fill("000 00");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByText("This code is not right.")).toBeVisible();
  await page.getByLabel("Code of your authenticator app").fill(codeOf(secret));
  const recovery =
    (await page.getByRole("list", { name: "Recovery codes" }).locator("li").first().textContent()) ?? "";
  expect(recovery).toMatch(/^[a-z2-7]{4}(-[a-z2-7]{4}){6}$/);
  await page.getByLabel("I have kept them").check();
  await page.getByRole("button", { name: "Done" }).click();
  return { secret, recovery };
}

async function signInOnly(page: Page, username: string): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("an authenticator app is set up in under a minute, and asked for from then on", async ({
  page,
  browser,
  request,
}) => {
  const username = await somebody(request);
  await signIn(page, username, "/account/security");
  const began = Date.now();
  await page.getByRole("button", { name: "Set up" }).click();
  await expectNoViolations(page);
  const { secret, recovery } = await setUp(page);
  await expect(page.getByText("10 are left.")).toBeVisible();
  const seconds = (Date.now() - began) / 1000;
  test.info().annotations.push({ type: "enrolment", description: `${seconds.toFixed(1)} s` });
  expect(seconds).toBeLessThan(60); // what was asked for, in the specification's own words: under 60 seconds
  await expectNoViolations(page);

  const other = await ownBrowser(browser);
  await signInOnly(other, username);
  await expect(other.getByRole("heading", { name: "Second step" })).toBeVisible();
  await expectNoViolations(other);
  await other.getByLabel("Code of your authenticator app").fill(codeOf(secret, 1));
  await expect(other.getByText("This code is not right, or has been used.")).toBeVisible();
  await expect(other.getByLabel("Code of your authenticator app")).toBeFocused();
  // the code that set it up was used: the app's next one counts already, clocks may differ by one
  await other
    .getByLabel("Code of your authenticator app")
    .fill(codeOf(secret, Math.floor(Date.now() / 30_000) + 1));
  await other.waitForURL((url) => !url.pathname.startsWith("/login"));

  const third = await ownBrowser(browser);
  await signInOnly(third, username);
  await third.getByRole("button", { name: "Use a recovery code" }).click();
  await third.getByLabel("Recovery code").fill(recovery.toUpperCase());
  await third.getByRole("button", { name: "Sign in", exact: true }).click();
  await third.waitForURL((url) => !url.pathname.startsWith("/login"));
  await page.reload();
  await expect(page.getByText("9 are left.")).toBeVisible();

  // whoever changes how they sign in is offered to end what is open elsewhere
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  const offer = page.getByRole("dialog", { name: "End your other sign-ins?" });
  await expect(offer.getByText("You are still signed in at 2 other places")).toBeVisible();
  await expectNoViolations(page);
  await offer.getByRole("button", { name: "End all others" }).click();
  await expect(page.getByText("2 other sign-ins have ended.").first()).toBeVisible();
});

test("a role that needs one lets nobody in before they have one", async ({ page, request }) => {
  const role = title("vault").replace(" ", "_").toLowerCase();
  const username = await somebody(request, [role]);
  await signInOnly(page, username);
  await expect(page.getByRole("heading", { name: "Protect your account" })).toBeVisible();
  await expect(page.getByText(role)).toBeVisible();
  await expectNoViolations(page);
  await page.goto("/tickets");
  await expect(page.getByRole("heading", { name: "Protect your account" })).toBeVisible();
  await setUp(page);
  await page.waitForURL((url) => url.pathname === "/tickets");
  await page.goto("/account/security");
  await expect(page.getByText(`Needed by your role: ${role}.`)).toBeVisible();
  await expect(page.getByRole("button", { name: "Remove" })).toHaveCount(0);
});

test("administrators see who needs one, and ask for a reset", async ({ page, request }) => {
  const username = await somebody(request);
  await signIn(page, "admin", "/settings/sign-in");
  await expect(page.getByRole("switch", { name: "Needs a second factor: Agent" })).toBeVisible();
  await page.getByRole("button", { name: "Ask for a reset" }).click();
  await expect(page.getByText("Please choose somebody.")).toBeVisible();
  await expectNoViolations(page);
  const picker = page.getByLabel("Who");
  await picker.click();
  await picker.fill("Fay Factor");
  await page.getByRole("option", { name: "Fay Factor" }).last().click();
  await page.getByLabel("How you know that it is really them").fill(`Called from her desk, ${username}`);
  await page.getByRole("button", { name: "Ask for a reset" }).click();
  const waiting = page.getByRole("listitem").filter({ hasText: username });
  await expect(waiting.getByText("It waits for another administrator.")).toBeVisible();
  await expect(waiting.getByRole("button", { name: "Agree" })).toHaveCount(0);
  await waiting.getByRole("button", { name: "Let it be" }).click();
  await expect(waiting).toHaveCount(0);
});

test("a passkey opens without a password, goes on after one, and confirms", async ({
  page,
  browser,
  request,
  baseURL,
}) => {
  const username = await somebody(request);
  const here = (baseURL ?? "").replace("127.0.0.1", "localhost"); // devices know addresses by name
  const devices = await page.context().newCDPSession(page);
  await devices.send("WebAuthn.enable");
  const { authenticatorId } = await devices.send("WebAuthn.addVirtualAuthenticator", {
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
  const began = Date.now();
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByLabel("What to call it").fill("My laptop");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByLabel("I have kept them").check();
  await page.getByRole("button", { name: "Done" }).click();
  test
    .info()
    .annotations.push({ type: "passkey", description: `${((Date.now() - began) / 1000).toFixed(1)} s` });
  await expect(page.getByText("My laptop")).toBeVisible();
  await expectNoViolations(page);

  async function leave(): Promise<void> {
    await page.getByRole("button", { name: /Fay Factor/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.waitForURL((url) => url.pathname === "/login");
  }
  await leave();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));

  await leave();
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("button", { name: "Use your passkey" }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));

  // somebody who turns away stays where they were
  await devices.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await leave();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await expect(page.getByRole("button", { name: "Sign in with a passkey" })).toBeEnabled();
  expect(new URL(page.url()).pathname).toBe("/login");

  const other = await ownBrowser(browser);
  await other.goto(`${here}/login`);
  await other.getByLabel("Username or e-mail").fill(username);
  await other.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await other.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(other.getByRole("button", { name: "Use a recovery code" })).toBeVisible();
  await expect(other.getByLabel("Code of your authenticator app")).toHaveCount(0);
});
