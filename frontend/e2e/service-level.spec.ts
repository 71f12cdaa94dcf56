/** By when: a request that is sent says so, an answer is told to the clock, and the ledger adds up. */
import { expect, test } from "@playwright/test";
import { as, expectNoViolations, signIn, title } from "./support";

async function ask(page: import("@playwright/test").Page, words: string): Promise<string> {
  await page.goto("/new/IT_SUPPORT");
  await page.getByLabel("Title").fill(words);
  await page
    .getByRole("button", { name: /^(Submit|Send)/ })
    .first()
    .click();
  await expect(page.getByRole("heading", { level: 1, name: words })).toBeVisible();
  return new URL(page.url()).pathname;
}

test("a request says by when it is answered, and its ledger where the time went", async ({
  page,
  browser,
}) => {
  await signIn(page, "employee");
  const words = title("The clock of a request");
  const path = await ask(page, words);
  const panel = page.getByRole("region", { name: "Service level" });
  await expect(panel.getByText("First response")).toBeVisible();
  await expect(panel.getByText(/^Due in .*/).first()).toBeVisible();
  await expect(panel.getByText(/Measured on “Berlin office hours”/)).toBeVisible();

  const agent = await as(browser, "agent", path);
  const composer = agent.getByRole("form", { name: "Write a comment" });
  await composer.getByRole("textbox").fill("We look at it.");
  await composer.getByRole("button", { name: "Send comment" }).click();
  await expect(panel.getByText(/^Met in .* of .*/)).toBeVisible({ timeout: 15_000 });

  await panel.getByRole("button", { name: "Resolution: where the time went" }).click();
  const ledger = page.getByRole("dialog", { name: "Resolution: where the time went" });
  await expect(ledger.getByRole("rowheader", { name: "Together" })).toBeVisible();
  await expect(ledger.getByRole("columnheader", { name: "Working time" })).toBeVisible();
  await expectNoViolations(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await expectNoViolations(page);
  await page.keyboard.press("Escape");
  await expect(ledger).toBeHidden();
  await expect(panel.getByRole("button", { name: "Resolution: where the time went" })).toBeFocused();

  await expect(async () => {
    await agent.goto(`/tickets?q=${encodeURIComponent(words)}&sort=sla_due_at`); // once the index has followed
    await expect(agent.getByRole("link", { name: words })).toBeVisible({ timeout: 3_000 });
  }).toPass({ timeout: 30_000 });
});
