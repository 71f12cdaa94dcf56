/** Finding: one box, what it understood, what it found, by keyboard and on a phone. */
import { expect, test } from "@playwright/test";
import { expectNoSidewaysScroll, expectNoViolations, signIn } from "./support";

test("a request is found by its words, narrowed, and opened by keyboard", async ({ page }) => {
  await signIn(page, "employee");
  const word = `wombat${Date.now().toString(36)}`;
  const token = await page.evaluate(async () => {
    const answer = await fetch("/api/v1/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: "employee", password: "demo-Passw0rd-2026" }),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  });
  const made = await page.request.post("/api/v1/tickets", {
    headers: { Authorization: `Bearer ${token}` },
    data: {
      title: `A ${word} scanner <b>`,
      description: `It hums. The ${word} is old.`,
      ticket_type: "IT_SUPPORT",
      custom_fields: {},
    },
  });
  expect(made.status()).toBe(201);
  await page.goto(`/search?q=${encodeURIComponent(`${word} is:mine colour:red`)}`);
  await expect(page.getByText("“colour” is no filter")).toBeVisible();
  await page.goto(`/search?q=${encodeURIComponent(`${word} is:mine`)}`);
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole("link", { name: new RegExp(word) })).toBeVisible({ timeout: 2000 });
  }).toPass({ timeout: 15_000 });
  await expect(page.locator("mark").first()).toHaveText(word);
  await expect(page.getByRole("main").getByText("One request", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Remove the filter is:mine" }).click();
  await expect(page).toHaveURL(new RegExp(`q=${word}$`));
  await page.getByRole("main").getByRole("searchbox", { name: "Search" }).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: new RegExp(word) })).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const)
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("the page is usable by everybody", async ({ page }) => {
      await signIn(page, "agent");
      for (const path of ["/search", "/search?q=laptop", "/search?q=zzqqxx+status%3Aopen+colour%3Ared"]) {
        await page.goto(path);
        await expect(page.getByRole("heading", { level: 1, name: "Search" })).toBeVisible();
        await expect(page.getByRole("button", { name: "Search", exact: true })).toBeEnabled();
        await expectNoViolations(page);
        await page.setViewportSize({ width: 320, height: 700 });
        await expectNoSidewaysScroll(page);
        await page.setViewportSize({ width: 1440, height: 900 });
      }
    });
  });
