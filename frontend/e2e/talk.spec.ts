/** Conversation: two people on one ticket, words that are never lost, never sent over another's, never to the wrong ones. */
import { expect, test, type Page } from "@playwright/test";
import { as, askForHardware, expectNoSidewaysScroll, expectNoViolations, mailAbout, title } from "./support";

const composer = (page: Page) => page.getByRole("form", { name: "Write a comment" });
const publicField = (page: Page) => page.getByLabel(/everybody on this ticket reads/);
const internalField = (page: Page) => page.getByLabel("Write a note only the team reads");
const comments = (page: Page) => page.getByRole("region", { name: "Comments" }).getByRole("article");
const sendNow = (page: Page) => page.getByRole("button", { name: "Send now" }).click();

test("two agents see each other, are told of a newer reply, and a mention finds its reader", async ({
  browser,
}) => {
  test.setTimeout(120_000);
  const what = title("Docking station");
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, what, "400");
  const agent = await as(browser, "agent", path);
  const agent2 = await as(browser, "agent2", path);

  // Here, and writing: seen by the other, as long as it is so.
  await expect(agent.locator("header").getByText(/are here|is here/)).toBeVisible({ timeout: 15_000 });
  await publicField(agent2).pressSequentially("I know this one", { delay: 60 });
  await expect(agent.locator("header").getByText(/is writing/)).toBeVisible({ timeout: 15_000 });

  // An internal note is written in secret.
  await agent.getByRole("group", { name: "Who reads it" }).getByRole("button", { name: "Internal" }).click();
  for (let n = 0; n < 6; n += 1) {
    await internalField(agent).pressSequentially("Shelf two. ", { delay: 20 });
    await jane.waitForTimeout(900);
  }
  await expect(agent2.locator("header").getByText(/writing/)).toBeVisible({ timeout: 15_000 });
  await expect(jane.locator("header").getByText(/are here|is here/)).toBeVisible({ timeout: 15_000 });
  await expect(jane.locator("header").getByText(/writing/)).toHaveCount(0);

  // Over a newer reply nothing is sent unseen: it came within the five seconds.
  await internalField(agent).fill("Ask @agent2");
  await internalField(agent).press("End");
  await expect(agent.getByRole("option")).toHaveCount(1);
  await internalField(agent).press("Enter");
  await expect(internalField(agent)).toHaveValue("Ask @agent2 ");
  await agent2.getByRole("button", { name: "Send comment" }).click();
  await agent.getByRole("button", { name: "Send internal note" }).click();
  await sendNow(agent);
  await expect(comments(agent2).filter({ hasText: "Ask @" })).toBeVisible({ timeout: 15_000 });
  await expect(agent2.getByText("Not sent yet: there is a newer comment")).toBeVisible({ timeout: 15_000 });
  await expectNoViolations(agent2);
  await agent2.getByRole("button", { name: "Send anyway" }).click();
  await expect(comments(jane).filter({ hasText: "I know this one" })).toBeVisible({ timeout: 15_000 });
  await expect(comments(jane).filter({ hasText: "Ask" })).toHaveCount(0);

  // The one who is mentioned is told, in the app and by mail; the link leads to the comment.
  const mail = await mailAbout(`You are mentioned: ${what}`);
  expect(mail.to).toEqual(["agent2@example.com"]);
  expect(mail.text).toContain("internal note");
  await agent2.goto("/");
  await agent2.getByRole("button", { name: /^Notifications/ }).click();
  await agent2.getByRole("button", { name: new RegExp(`^New: You are mentioned: ${what}`) }).click();
  await expect(agent2).toHaveURL(/#comment-\d+$/);
  await expect(agent2.locator("article:focus")).toContainText("Ask @");

  // Who leaves is gone.
  await agent2.close();
  // within 15 s, and what a busy machine adds
  await expect(agent.locator("header").getByText(/^Jane Doe is here/)).toBeVisible({ timeout: 20_000 });
});

test("a draft survives a reload and comes to another device; each side keeps its own", async ({
  browser,
}) => {
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, title("Headset"), "90");
  const agent = await as(browser, "agent", path);
  await publicField(agent).fill("Dear Jane, I looked into it");
  const audience = agent.getByRole("group", { name: "Who reads it" });
  await audience.getByRole("button", { name: "Internal" }).click();
  const question = agent.getByRole("dialog", { name: "Write an internal note?" });
  await expect(question).toBeVisible();
  await question.getByRole("button", { name: "Start an internal note" }).click();
  await expect(internalField(agent)).toHaveValue("");
  await internalField(agent).fill("She asked twice");
  await expect(agent.getByText(/Draft saved/)).toBeVisible();
  await agent.reload();
  await expect(publicField(agent)).toHaveValue("Dear Jane, I looked into it");
  await expect(agent.getByRole("button", { name: "Internal (draft)" })).toBeVisible();

  const elsewhere = await as(browser, "agent", path);
  await expect(publicField(elsewhere)).toHaveValue("Dear Jane, I looked into it");
  await publicField(elsewhere).fill("Dear Jane, it is on its way");
  await expect(elsewhere.getByText(/Draft saved/)).toBeVisible();
  await agent.reload();
  await expect(publicField(agent)).toHaveValue("Dear Jane, it is on its way");
});

test("a comment is taken back, sent when one leaves, changed, quoted and removed", async ({ browser }) => {
  test.setTimeout(90_000);
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, title("Keyboard"), "80");
  const agent = await as(browser, "agent", path);
  await publicField(agent).fill("Which layout, @emp");
  await agent.keyboard.press("End");
  await expect(agent.getByRole("option", { name: /@employee/ })).toBeVisible();
  await agent.keyboard.press("Tab");
  await agent.keyboard.press("Control+Enter");
  await agent.getByRole("button", { name: "Undo" }).click();
  await expect(publicField(agent)).toHaveValue("Which layout, @employee");
  await publicField(agent).press("Control+Enter");
  await agent.goto("/tickets"); // leaves, and the comment with it
  await expect(comments(jane).filter({ hasText: "Which layout, @Jane Doe" })).toBeVisible({
    timeout: 15_000,
  });
  await agent.goto(path);
  await expect(comments(agent).filter({ hasText: "Which layout" })).toHaveCount(1);
  await expect(agent.getByText(/Sends in|Sending/)).toHaveCount(0);

  await comments(agent).getByRole("button", { name: "Edit comment" }).click();
  await agent.getByLabel("Your comment").fill("Which **layout** do you need?");
  await agent.getByRole("button", { name: "Save" }).click();
  await expect(comments(jane).getByRole("button", { name: "edited" })).toBeVisible({ timeout: 15_000 });
  await comments(jane).getByRole("button", { name: "edited" }).click();
  const versions = jane.getByRole("dialog", { name: "All versions of this comment" });
  await expect(versions.getByText("Which layout, @employee")).toBeVisible();
  await expectNoViolations(jane);
  await jane.keyboard.press("Escape");

  await comments(jane).getByText("layout", { exact: true }).dblclick();
  await jane.getByRole("button", { name: "Quote selection" }).click();
  await expect(publicField(jane)).toHaveValue("> layout\n\n");
  await publicField(jane).press("End");
  await jane.keyboard.type("US international");
  await jane.getByRole("button", { name: "Send comment" }).click();
  await sendNow(jane);
  await expect(comments(agent).locator("blockquote")).toHaveText("layout", { timeout: 15_000 });

  await comments(agent).getByRole("button", { name: "Remove comment" }).click();
  await agent.getByRole("dialog").getByRole("button", { name: "Remove comment" }).click();
  await expect(jane.getByText(/removed this comment/)).toBeVisible({ timeout: 15_000 });
  await expect(jane.getByText("do you need?")).toHaveCount(0);
});

test("a pasted picture stands in the comment, for those who may see it", async ({ browser }) => {
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, title("Screen"), "95");
  const agent = await as(browser, "agent", path);
  const asked: string[] = [];
  agent.on("request", (request) => asked.push(request.url()));
  await publicField(agent).focus();
  await agent.evaluate(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 20 });
    canvas.getContext("2d")?.fillRect(0, 0, 40, 20);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
    const transfer = new DataTransfer();
    transfer.items.add(new File([blob as Blob], "image.png", { type: "image/png" }));
    document.activeElement?.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true }),
    );
  });
  await expect(publicField(agent)).toHaveValue(/!\[.+\.png\]\(attachment:\d+\)/, { timeout: 15_000 });
  await publicField(agent).press("Control+End");
  await agent.keyboard.type("and ![x](https://evil.example/pixel.png) and ![y](attachment:999999)");
  await agent.getByRole("button", { name: "Preview", exact: true }).click();
  await expect(agent.getByRole("region", { name: "Preview" }).locator("img")).toBeVisible();
  await agent.getByRole("button", { name: "Send comment" }).click();
  await sendNow(agent);
  const said = comments(jane).filter({ hasText: "evil.example" });
  await expect(said.locator("img")).toHaveCount(1, { timeout: 15_000 });
  await expect(said).toContainText("![y](attachment:999999)");
  await said.getByRole("button", { name: /Open the picture/ }).click();
  await expect(jane.getByRole("dialog").locator("img")).toBeVisible();
  expect(asked.filter((url) => url.includes("evil.example"))).toEqual([]);
});

test("a canned reply is written once, tried on a ticket, and taken with a slash", async ({ browser }) => {
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, title("Charger"), "25");
  const name = title("Which plug");
  const agent = await as(browser, "agent", "/settings");
  await agent.getByRole("link", { name: /Canned replies/ }).click();
  await agent.getByRole("button", { name: "New canned reply" }).click();
  const editor = agent.getByRole("dialog", { name: "New canned reply" });
  await editor.getByRole("textbox", { name: "Name" }).fill(name);
  await editor.getByRole("textbox", { name: "Text" }).fill("Hello {{ requester.nickname }}");
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(editor.getByText(/requester.nickname.+is no variable/).first()).toBeVisible();
  await editor.getByRole("textbox", { name: "Text" }).fill("Hello ");
  await editor.getByRole("button", { name: /Insert requester.first_name/ }).click();
  await editor.getByRole("textbox", { name: "Text" }).press("End");
  await agent.keyboard.type(", which plug?");
  await expect(editor.getByRole("region", { name: "Preview" })).toContainText(/Hello \w+, which plug\?/);
  await expectNoViolations(agent);
  await editor.getByRole("button", { name: "Save" }).click();
  await expect(agent.getByRole("heading", { name })).toBeVisible();
  await expectNoViolations(agent);
  await agent.setViewportSize({ width: 320, height: 800 });
  await expectNoSidewaysScroll(agent);
  await agent.setViewportSize({ width: 1280, height: 800 });

  await agent.goto(path);
  await publicField(agent).fill("Good morning,");
  await publicField(agent).press("End");
  await agent.keyboard.press("Enter");
  await agent.keyboard.type(`/${name}`);
  await expect(agent.getByRole("option")).toHaveCount(1);
  await agent.keyboard.press("Enter");
  await expect(publicField(agent)).toHaveValue("Good morning,\nHello Jane, which plug?");
  await expect(comments(agent)).toHaveCount(0); // taken is not sent
});

test("the history is filtered, and each line has a link of its own", async ({ browser }) => {
  const jane = await as(browser, "employee");
  await askForHardware(jane, title("Cable"), "15");
  await publicField(jane).fill("Two metres, please");
  await jane.getByRole("button", { name: "Send comment" }).click();
  await sendNow(jane);
  await expect(comments(jane)).toHaveCount(1);
  await jane.reload();
  await jane.getByRole("tab", { name: "History" }).click();
  const history = jane.getByRole("region", { name: "History" });
  await history.getByRole("button", { name: "Comments" }).click();
  await expect(history.getByRole("listitem")).toHaveCount(1);
  await expectNoViolations(jane);
  await history.getByRole("link", { name: "Go to the comment" }).click();
  await expect(comments(jane).first()).toBeFocused();
  await jane.getByRole("tab", { name: "History" }).click();
  await history.getByRole("button", { name: "Changes" }).click();
  await expect(history.getByText("submitted the request")).toBeVisible();
  const link = await history.getByRole("link").first().getAttribute("href");
  await jane.goto(new URL(link ?? "", jane.url()).href);
  await expect(jane.locator("li:focus")).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the conversation is readable for everybody, narrow and wide, ${colorScheme}`, async ({ browser }) => {
    const jane = await as(browser, "employee");
    const path = await askForHardware(jane, title("Mouse"), "30");
    const agent = await as(browser, "agent", path);
    await agent.emulateMedia({ colorScheme });
    await internalField(agent).or(publicField(agent)).fill("Hello @employee, `code`, **bold**");
    await agent.getByRole("button", { name: "Send comment" }).click();
    await sendNow(agent);
    await agent
      .getByRole("group", { name: "Who reads it" })
      .getByRole("button", { name: "Internal" })
      .click();
    await internalField(agent).fill("For us: @");
    await expect(agent.getByRole("option").first()).toBeVisible();
    await expectNoViolations(agent);
    await internalField(agent).fill("For us");
    await agent.getByRole("button", { name: "Send internal note" }).click();
    await expect(agent.getByText(/Internal note, sends in/)).toBeVisible();
    await expectNoViolations(agent);
    for (const width of [320, 768, 1440]) {
      await agent.setViewportSize({ width, height: 800 });
      await expectNoSidewaysScroll(agent);
    }
    await expect(composer(agent)).toBeVisible();
  });
}
