import { test } from "@playwright/test";
import { signIn } from "./support";
const pages: [string, string, string][] = [
  ["admin", "/settings", "settings"],
  ["admin", "/settings/people/import", "people-import"],
  ["admin", "/settings/service-levels", "levels"],
  ["admin", "/settings/automation", "automation"],
  ["executive", "/dashboards", "dash-exec"],
  ["executive", "/", "home-exec"],
  ["agent", "/dashboards", "dash-agent"],
  ["agent", "/search?q=laptop", "search"],
  ["employee", "/", "home"],
];
for (const [width, height, theme] of [
  [1440, 900, "light"],
  [768, 1000, "dark"],
  [320, 700, "light"],
] as const)
  test(`shots ${width}`, async ({ browser }) => {
    test.setTimeout(240000);
    let who = "";
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme });
    const page = await context.newPage();
    for (const [user, path, name] of pages) {
      if (user !== who) {
        await context.clearCookies();
        await signIn(page, user, path);
        who = user;
      }
      await page.goto(path);
      await page.waitForLoadState("networkidle").catch(() => undefined);
      await page.waitForTimeout(900);
      const over = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      console.log(width, name, page.url(), "over", over);
      await page.screenshot({ path: `/tmp/shots/${name}-${width}.png` });
    }
  });
