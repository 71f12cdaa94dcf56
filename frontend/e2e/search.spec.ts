/** Finding: one box, what it understood, what it found, by keyboard and on a phone. */
import { expect, test } from "@playwright/test";
import {
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  PASSWORD,
  signIn,
} from "./support";

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

test("what may be meant is offered while one types, by keyboard, and people are found", async ({ page }) => {
  await signIn(page, "employee", "/search");
  await expect(page.getByRole("heading", { level: 1, name: "Search" })).toBeVisible();
  await page.getByRole("heading", { level: 1, name: "Search" }).click(); // away from the page's own box
  await page.keyboard.press("/");
  const box = page.getByRole("combobox", { name: "Find tickets and people" });
  await expect(box).toBeFocused();
  await page.keyboard.type("okafor");
  const offered = page.getByRole("listbox", { name: "Suggestions" });
  const mike = offered.getByRole("group", { name: "People" }).getByRole("option", { name: /Mike Okafor/ });
  await expect(mike).toBeVisible();
  await expect(box).toHaveAttribute("aria-expanded", "true");
  await expect(box).not.toHaveAttribute("aria-activedescendant", /./);
  await page.keyboard.press("ArrowUp");
  const everything = offered.getByRole("option", { name: "Everything for “okafor”" });
  await expect(everything).toHaveAttribute("aria-selected", "true");
  await expect(box).toHaveAttribute("aria-activedescendant", (await everything.getAttribute("id")) ?? "");
  await expectNoViolations(page);
  await page.setViewportSize({ width: 320, height: 700 });
  await expectNoSidewaysScroll(page);
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("Escape");
  await expect(offered).toBeHidden();
  await expect(box).toHaveValue("okafor");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/search\?q=okafor/);
  await expect(
    page.getByRole("region", { name: "People" }).getByRole("link", { name: /Mike Okafor/ }),
  ).toBeVisible();
  await box.fill("status:op");
  await offered.getByRole("option", { name: "status:open" }).click();
  await expect(box).toHaveValue("status:open ");
  await expect(box).toBeFocused();
});

test("who writes a request sees what sounds alike", async ({ page }) => {
  await signIn(page, "employee", "/");
  const word = `okapi${Date.now().toString(36)}`;
  const token = await page.evaluate(async (password) => {
    const answer = await fetch("/api/v1/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ username: "employee", password }),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  }, PASSWORD);
  const made = await page.request.post("/api/v1/tickets", {
    headers: { Authorization: `Bearer ${token}` },
    data: { title: `The ${word} scanner hums`, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true },
  });
  expect(made.status()).toBe(201);
  await page.goto("/new/IT_SUPPORT");
  await page.getByLabel("Title").fill(`${word} scanners are humming`);
  const alike = page.getByRole("region", { name: "Is it one of these?" });
  await expect(alike.getByRole("link", { name: new RegExp(word) })).toBeVisible({ timeout: 20_000 });
});

test("the page is usable by everybody", async ({ page }) => {
  await signIn(page, "agent");
  for (const path of ["/search", "/search?q=laptop", "/search?q=zzqqxx+status%3Aopen+colour%3Ared"]) {
    await page.goto(path);
    await expect(page.getByRole("heading", { level: 1, name: "Search" })).toBeVisible();
    await expect(page.getByRole("button", { name: "Search", exact: true })).toBeEnabled();
    await expectNoViolationsInBothThemes(page);
    await page.setViewportSize({ width: 320, height: 700 });
    await expectNoSidewaysScroll(page);
    await page.setViewportSize({ width: 1440, height: 900 });
  }
});
