/** From a mail to a request and back: what is written by mail stands in the app, with the mail behind it. */
import { expect, test } from "@playwright/test";
import { post } from "./processes";
import { as, expectNoSidewaysScroll, expectNoViolationsInBothThemes, title } from "./support";

test("a mail becomes a request, its answer a comment, and the whole mail can be read", async ({
  browser,
  page,
}) => {
  test.setTimeout(90_000);
  const what = title("Flickering screen");
  const [outcome, id] = post("employee", `Fwd: ${what}`, "Since Monday.\n\nSee the photo.");
  expect(outcome).toBe("TICKET");
  const quoted = "On Mon, 2 Mar 2026 at 10:00, Waypost <help@x.test> wrote:\n> Which cable?";
  expect(post("employee", `Re: ${what}`, `With every cable.\n\n${quoted}\n`, id)).toEqual(["COMMENT", id]);
  await page.close();

  const agent = await as(browser, "agent", `/tickets/${id}`);
  await expect(agent.getByRole("heading", { level: 1 })).toContainText(what);
  const comment = agent.getByRole("article").filter({ hasText: "With every cable." });
  await expect(comment).not.toContainText("Which cable?");
  await expectNoViolationsInBothThemes(agent);
  const opens = comment.getByRole("button", { name: /^by mail/ });
  await opens.click();
  const mail = agent.getByRole("dialog", { name: "The original mail" });
  await expect(mail).toContainText("> Which cable?");
  await expect(mail).toContainText("journeys@waypost.example.com");
  await expect(mail).not.toContainText("journeys+");
  await expectNoViolationsInBothThemes(agent);
  for (const width of [320, 768, 1440]) {
    await agent.setViewportSize({ width, height: 800 });
    await expectNoSidewaysScroll(agent);
  }
  await agent.keyboard.press("Escape");
  await expect(opens).toBeFocused();
});
