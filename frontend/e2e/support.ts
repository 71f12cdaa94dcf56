/** What every journey needs: people of the demo company signed in, and the mails they get. */
import AxeBuilder from "@axe-core/playwright";
import {
  type APIRequestContext,
  expect,
  test,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from "@playwright/test";
import axe from "axe-core";

export const PASSWORD = "demo-Passw0rd-2026";
const MAILS = process.env.MAILS_URL ?? "";

/** Browsers that journeys opened besides their own, by journey: nothing closes them by itself. */
let opened: { context: BrowserContext; journey: string }[] = [];

/** A browser of somebody's own, open until this journey ends. */
export async function ownBrowser(browser: Browser, options?: BrowserContextOptions): Promise<Page> {
  const journey = test.info().testId;
  // Left open, the screens of all earlier journeys would go on asking the server for what is new.
  const over = opened.filter((one) => one.journey !== journey);
  opened = opened.filter((one) => one.journey === journey);
  await Promise.all(over.map(({ context }) => context.close()));
  const context = await browser.newContext(options);
  opened.push({ context, journey });
  return context.newPage();
}

/** A browser of their own for somebody of the demo company. */
export async function as(browser: Browser, username: string, path = "/"): Promise<Page> {
  const page = await ownBrowser(browser);
  await signIn(page, username, path);
  return page;
}

export async function signIn(page: Page, username: string, path = "/"): Promise<void> {
  await page.goto(`/login?next=${encodeURIComponent(path)}`);
  await page.getByLabel("Username or e-mail").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL((url) => !url.pathname.startsWith("/login"));
}

/** Waits until as many tickets are found by these words as there are: the index follows what is sent. */
export async function expectFound(
  request: APIRequestContext,
  headers: Record<string, string>,
  words: string,
  many: number,
): Promise<void> {
  await expect
    .poll(
      async () => {
        const counted = await request.get("/api/v1/tickets/count", { headers, params: { q: words } });
        return ((await counted.json()) as { count: number }).count;
      },
      { timeout: 30_000 },
    )
    .toBe(many);
}

interface Mail {
  to: string[];
  subject: string;
  text: string;
  headers: Record<string, string>;
}

/** The newest mail whose subject has these words, to whoever or to this person; waits for it. */
export async function mailAbout(words: string, to = ""): Promise<Mail> {
  let found: Mail | undefined;
  await expect
    .poll(
      async () => {
        const mails = (await (await fetch(`${MAILS}/mails.json`)).json()) as Mail[];
        found = mails.find((m) => m.subject.includes(words) && m.to.join().includes(to));
        return found?.subject;
      },
      { timeout: 20_000 },
    )
    .toBeTruthy();
  return found as Mail;
}

/** The path of the link in a mail that opens Waypost itself. */
export function linkIn(mail: Mail): string {
  const link = /https?:\/\/[^/\s]+(\/(?!decide\/)[^\s)>]+)/.exec(mail.text)?.[1];
  expect(link).toBeTruthy();
  return link as string;
}

let count = 0;
/** A title no other test uses. */
export function title(words: string): string {
  count += 1;
  return `${words} ${Date.now().toString(36)}${process.pid.toString(36)}${count}`;
}

/** Ask for hardware in the browser, as people do; returns the ticket's path. */
export async function askForHardware(page: Page, what: string, amount: string): Promise<string> {
  await page.goto("/new");
  await page.getByLabel(/Describe it in your words/).fill("laptop");
  await page.getByRole("link", { name: /IT hardware/ }).click();
  await page.getByLabel("Title").fill(what);
  await page.getByLabel("Budget code").fill("MKT-2026-09");
  await page.getByLabel("Justification").fill("The old one does not start any more");
  await page.getByLabel("Amount").fill(amount);
  await page.getByRole("button", { name: "Submit" }).click();
  await page.waitForURL(/\/tickets\/\d+$/);
  return new URL(page.url()).pathname;
}

/** Nothing is wider than the screen. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(over).toBeLessThanOrEqual(0);
}

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// What brings the focus in and out of the toasts is hidden and passes it on at once.
const NOT_LOOKED_AT = "[role='region'] > span[aria-hidden='true'][tabindex]";

/** Judged where it stands, by a checker that is brought there once: bringing it took longer than looking. */
async function violationsOf(page: Page): Promise<axe.Result[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  return page.evaluate(
    async ([exclude, values]) => {
      const checker = (window as unknown as { axe: typeof axe }).axe;
      // Of what is as it should be, nothing is told.
      const options: axe.RunOptions = { runOnly: { type: "tag", values }, resultTypes: ["violations"] };
      return (await checker.run({ exclude: [exclude] }, options)).violations;
    },
    [NOT_LOOKED_AT, RULES] as const,
  );
}

/** A checker in each frame; what they find is put together in a page of its own. */
async function violationsWithFrames(page: Page): Promise<axe.Result[]> {
  return (await new AxeBuilder({ page }).exclude(NOT_LOOKED_AT).withTags(RULES).analyze()).violations;
}

/** WCAG 2.2 AA as far as a machine can tell. */
export async function expectNoViolations(page: Page): Promise<void> {
  // A page that is still being loaded is empty.
  await expect(page.locator("h1").first()).toBeAttached();
  // Half faded in, or on their way to another theme, words have less contrast than they will have.
  await page.evaluate(async () => {
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
    const moving = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map((a) => a.finished));
  });
  const violations = page.frames().length === 1 ? await violationsOf(page) : await violationsWithFrames(page);
  const lines = violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")} ${n.html}`));
  expect(lines).toEqual([]);
}

/** The same of a page as it stands, in dark and in light: it follows what the system asks for. */
export async function expectNoViolationsInBothThemes(page: Page): Promise<void> {
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator("html.dark")).toHaveCount(colorScheme === "dark" ? 1 : 0);
    await expectNoViolations(page);
  }
}
