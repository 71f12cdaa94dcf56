/** Without a network: what one looked at lately is read, nothing is decided, and a message leads where it should. */
import { expect, test, type Page } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolations, PASSWORD, signIn, title } from "./support";

test.use({ serviceWorkers: "allow" });

async function ask(page: Page, what: string): Promise<number> {
  const login = await page.request.post("/api/v1/auth/login", {
    data: { username: "employee", password: PASSWORD },
  });
  const { access_token } = (await login.json()) as { access_token: string };
  const made = await page.request.post("/api/v1/tickets", {
    data: {
      title: what,
      ticket_type: "IT_HARDWARE",
      custom_fields: { budget_code: "MKT-2026-09", justification: "The old one is broken" },
      amount: "480.00",
      currency: "USD",
      submit: true,
    },
    headers: { Authorization: `Bearer ${access_token}` },
  });
  expect(made.status(), await made.text()).toBe(201);
  return ((await made.json()) as { id: number }).id;
}

/** The worker has the page, and so many answers are kept. */
async function settled(page: Page, words: string): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout: 30_000 });
  await expect
    .poll(
      () =>
        page.evaluate(
          (wanted) =>
            new Promise<boolean>((tell) => {
              const asked = indexedDB.open("waypost");
              asked.onsuccess = () => {
                const all = asked.result.transaction("kept").objectStore("kept").getAll();
                all.onsuccess = () => tell(JSON.stringify(all.result).includes(wanted));
                all.onerror = () => tell(false);
              };
              asked.onerror = () => tell(false);
            }),
          words,
        ),
      { timeout: 20_000 },
    )
    .toBe(true);
}

const bar = (page: Page) => page.getByText(/You are offline. You read what was here at/);

test("lists and tickets are read without a network, decisions wait for one", async ({ page, context }) => {
  test.setTimeout(120_000);
  const what = title("Screen for the train");
  const id = await ask(page, what);
  await signIn(page, "manager", "/tickets");
  await expect(page.getByText(what).first()).toBeVisible();
  await settled(page, what);
  await page.goto(`/tickets/${id}`);
  await expect(page.getByRole("heading", { level: 1, name: what })).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve" }).first()).toBeVisible();
  await page
    .getByRole("link", { name: /Approvals/ })
    .first()
    .click();
  await expect(page.getByText(what).first()).toBeVisible();
  await settled(page, `["approvals","flow",${id}]`);
  await settled(page, '["approvals","queue"');

  await context.setOffline(true);
  await page.goto(`/tickets/${id}`);
  await expect(page.getByRole("heading", { level: 1, name: what })).toBeVisible();
  await expect(bar(page)).toBeVisible();
  // decisions are refused with words, and nothing waits to be done later
  await expect(page.getByText(/Decisions can be made when the connection is back/).first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve" }).first()).toBeDisabled();
  await expectNoViolations(page);
  await page.goto("/tickets");
  await expect(page.getByText(what).first()).toBeVisible();
  await expect(bar(page)).toBeVisible();
  await page.reload();
  await expect(page.getByText(what).first()).toBeVisible();
  // what was never opened says so
  await page.goto("/tickets/999999");
  await expect(page.getByText(/was not opened here lately/)).toBeVisible();

  await context.setOffline(false);
  await expect(bar(page)).toBeHidden({ timeout: 30_000 });
  await page.goto(`/tickets/${id}`);
  await page.getByRole("button", { name: "Approve" }).first().click();
  await expect(page.getByText(/Approved|approved/).first()).toBeVisible();
});

test("nothing of it is left when one signs out", async ({ page, context }) => {
  const what = title("Only for the manager");
  const id = await ask(page, what);
  await signIn(page, "manager", `/tickets/${id}`);
  await settled(page, what);
  await page.getByRole("button", { name: /Mike/ }).first().click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/\/login/);
  const left = () =>
    page.evaluate(
      () =>
        new Promise<number>((tell) => {
          const asked = indexedDB.open("waypost");
          asked.onsuccess = () => {
            const all = asked.result.transaction("kept").objectStore("kept").count();
            all.onsuccess = () => tell(all.result);
          };
        }),
    );
  await expect.poll(left).toBe(0);
  await context.setOffline(true);
  await page.goto(`/tickets/${id}`);
  await expect(page.getByRole("button", { name: "Sign in", exact: true })).toBeVisible();
  await expect(page.getByText(what)).toHaveCount(0);
  // and nothing of the API is among the kept files
  const kept = await page.evaluate(async () => {
    const urls: string[] = [];
    for (const name of await caches.keys())
      for (const request of await (await caches.open(name)).keys()) urls.push(new URL(request.url).pathname);
    return urls;
  });
  expect(kept).toContain("/");
  expect(kept.filter((path) => path.startsWith("/api"))).toEqual([]);
});

/** The worker's side, where this browser (which knows no push service and shows nothing itself) is stood in for. */
interface Scope {
  registration: { showNotification(title: string, options: object): Promise<void> };
  ExtendableEvent: new (type: string) => Event;
  dispatchEvent(event: Event): void;
  shown: unknown[];
}

test("a message is shown, and a click on it leads there in the tab that is open", async ({
  page,
  context,
}) => {
  await signIn(page, "manager", "/");
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout: 30_000 });
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
  const happen = (type: string, more: { text?: string; path?: string }) =>
    worker.evaluate(
      async ([kind, { text, path }]) => {
        const scope = self as unknown as Scope;
        scope.shown ??= [];
        Object.defineProperty(navigator, "setAppBadge", {
          value: (n: number) => Promise.resolve(void scope.shown.push(["badge", { n }])),
          configurable: true,
        });
        scope.registration.showNotification = (title, options) =>
          Promise.resolve(void scope.shown.push([title, options]));
        const work: Promise<unknown>[] = [];
        const event = new scope.ExtendableEvent(kind);
        Object.defineProperties(event, {
          waitUntil: { value: (promise: Promise<unknown>) => work.push(promise) },
          data: { value: { text: () => text } },
          notification: { value: { data: { path }, close: () => undefined } },
        });
        scope.dispatchEvent(event);
        await Promise.all(work);
        return scope.shown.splice(0) as [string, Record<string, unknown>][];
      },
      [type, more] as const,
    );
  const said = {
    title: "Asked for",
    body: "ITH-1",
    path: "/approvals",
    tag: "step-1",
    unread: 2,
    urgent: true,
  };
  const done = await happen("push", { text: JSON.stringify(said) });
  expect(done[1]).toEqual(["badge", { n: 2 }]);
  expect(done[0]?.[0]).toBe("Asked for");
  expect(done[0]?.[1]).toMatchObject({
    body: "ITH-1",
    tag: "step-1",
    renotify: true,
    requireInteraction: true,
    data: { path: "/approvals" },
    actions: [{ action: "open", title: "Open" }],
  });
  await happen("notificationclick", { path: "/approvals" });
  await page.waitForURL(/\/approvals$/);
  // of another place than ours nothing is opened
  await happen("notificationclick", { path: "//evil.example/x" });
  await page.waitForURL((url) => url.pathname === "/" && url.host === new URL(page.url()).host);
  expect((await happen("push", { text: "nonsense" }))[0]?.[0]).toBe("Waypost");
});

test("one is told in this browser when one wants it, and sees where else", async ({ page }) => {
  // This browser has no push service: it is stood in for, with an address and keys as a real one gives them.
  await page.addInitScript(() => {
    let held: object | null = null;
    const p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const endpoint = `https://fcm.googleapis.com/fcm/send/${crypto.randomUUID()}`;
    Object.defineProperty(Notification, "permission", { get: () => "granted" });
    Notification.requestPermission = () => Promise.resolve("granted");
    PushManager.prototype.getSubscription = () => Promise.resolve(held as PushSubscription | null);
    PushManager.prototype.subscribe = (options) => {
      held = {
        endpoint,
        options,
        toJSON: () => ({ endpoint, keys: { p256dh, auth: "BTBZMqHH6r4Tts7J_aSIgg" } }),
        unsubscribe: () => Promise.resolve(!(held = null)),
      };
      return Promise.resolve(held as PushSubscription);
    };
  });
  await signIn(page, "colleague", "/account/notifications");
  const card = page.getByRole("region", { name: "Where you are reached" });
  await expect(card.getByText("From the directory")).toBeVisible();
  while (await card.getByRole("button", { name: /^Remove Browser/ }).count()) {
    await card
      .getByRole("button", { name: /^Remove Browser/ })
      .first()
      .click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await expect(page.getByRole("dialog")).toBeHidden();
  }
  const column = page.getByRole("button", { name: /^Browser: switch all/ });
  await card.getByRole("button", { name: "Tell me here" }).click();
  await expect(card.getByText("You are told here, also while Waypost is closed")).toBeVisible();
  await expect(card.getByText(/fcm\.googleapis\.com/)).toBeVisible();
  await expect(column).toBeVisible();
  await expectNoViolations(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectNoViolations(page);
  await card.getByRole("button", { name: "Stop" }).click();
  await expect(card.getByRole("button", { name: "Tell me here" })).toBeVisible();
  await expect(card.getByText(/fcm\.googleapis\.com/)).toBeHidden();
  await expect(column).toBeHidden();
});

test("the app can be installed, and fits a phone without a network", async ({ page, context }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  const manifest = await page.request.get("/manifest.webmanifest");
  expect(manifest.headers()["content-type"]).toContain("application/manifest+json");
  const { icons, shortcuts } = (await manifest.json()) as {
    icons: { src: string; purpose?: string }[];
    shortcuts: { url: string }[];
  };
  for (const { src } of icons) expect((await page.request.get(src)).ok()).toBe(true);
  expect(icons.some((icon) => icon.purpose === "maskable")).toBe(true);
  expect(shortcuts.map((s) => s.url)).toEqual(["/new", "/approvals"]);
  const worker = await page.request.get("/sw.js");
  expect(worker.headers()["cache-control"]).toBe("no-cache");
  const what = title("On the way");
  const id = await ask(page, what);
  await signIn(page, "manager", `/tickets/${id}`);
  await settled(page, what);
  await context.setOffline(true);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: what })).toBeVisible();
  await expect(bar(page)).toBeVisible();
  await expectNoSidewaysScroll(page);
});
