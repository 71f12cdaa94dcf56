/** Files of a request: chosen, sent, looked at, taken away; at a desk and on the smallest phone. */
import { readFile } from "node:fs/promises";
import { expect, test, type CDPSession, type Page } from "@playwright/test";
import { bytes, pdf, png, text, type TestFile } from "./files";
import {
  as,
  askForHardware,
  expectNoSidewaysScroll,
  expectNoViolations,
  expectNoViolationsInBothThemes,
  title,
} from "./support";

const WORDS = "Why we need it:\nthe old one <b>does not</b> start — any more.\n";
const choose = (page: Page, ...files: TestFile[]) =>
  page.locator("input[type=file][multiple]").setInputFiles(files);
const filesOf = (page: Page) => page.getByRole("list", { name: "Files of this ticket" });
const uploadsOf = (page: Page) => page.getByRole("list", { name: "Uploads" });

/** The form for hardware, filled in; not sent. */
async function fillIn(page: Page, what: string): Promise<void> {
  await page.goto("/new/IT_HARDWARE");
  await page.getByLabel("Title").fill(what);
  await page.getByLabel("Budget code").fill("MKT-2026-09");
  await page.getByLabel("Justification").fill("See the files");
  await page.getByLabel("Amount").fill("800");
}

/** How fast this page may send, in bytes a second; 0 stops the brake. */
const lines = new WeakMap<Page, CDPSession>();
async function brake(page: Page, bytesPerSecond: number): Promise<void> {
  const line = lines.get(page) ?? (await page.context().newCDPSession(page));
  lines.set(page, line);
  await line.send("Network.enable");
  await line.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond || -1,
  });
}

test("a justification chosen in the form is on the approver's card, to the byte", async ({ browser }) => {
  const what = title("Laptop with files");
  const jane = await as(browser, "employee");
  await fillIn(jane, what);
  const note = text("justification.txt", WORDS);
  await choose(jane, note, png("desk.png"), text("second thoughts.txt", "No."));
  await expect(uploadsOf(jane).getByRole("listitem")).toHaveCount(3);
  await expect(uploadsOf(jane)).toContainText("Ready to send");
  await jane.getByRole("button", { name: "Take second thoughts.txt off this list" }).click();
  await expect(jane.getByRole("button", { name: "Add files" })).toBeFocused();
  await expectNoSidewaysScroll(jane);
  await jane.getByRole("button", { name: "Submit" }).click();
  await jane.waitForURL(/\/tickets\/\d+$/);
  await expect(jane.locator("header").getByText("In review")).toBeVisible();
  await expect(filesOf(jane).getByRole("listitem")).toHaveCount(2);
  await expect(uploadsOf(jane)).toHaveCount(0);
  await expectNoSidewaysScroll(jane);

  const mike = await as(browser, "manager", `/approvals?ticket=${jane.url().split("/").at(-1)}`);
  const card = mike.getByRole("article");
  await expect(card.getByRole("heading", { name: what })).toBeVisible();
  await expect(card.getByRole("button", { name: /^Remove/ })).toHaveCount(0);
  const [saved] = await Promise.all([
    mike.waitForEvent("download"),
    card.getByRole("button", { name: "Download justification.txt" }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe("justification.txt");
  expect((await readFile(await saved.path())).equals(note.buffer)).toBe(true);

  const opener = card.getByRole("button", { name: "Preview justification.txt" });
  await opener.focus();
  await mike.keyboard.press("Enter");
  const dialog = mike.getByRole("dialog", { name: "justification.txt" });
  await expect(dialog.getByText("the old one <b>does not</b> start — any more.")).toBeVisible();
  await expect(dialog.getByText(/^[12] of 2/)).toBeVisible();
  await mike.keyboard.press("ArrowRight");
  const picture = mike.getByRole("dialog", { name: "desk.png" }).getByRole("img", { name: "desk.png" });
  await expect(picture).toBeVisible();
  await expect.poll(() => picture.evaluate((i: HTMLImageElement) => i.naturalWidth)).toBe(640);
  await expectNoSidewaysScroll(mike);
  await mike.keyboard.press("ArrowLeft");
  await expect(mike.getByRole("dialog", { name: "justification.txt" })).toBeVisible();
  await mike.keyboard.press("Escape");
  await expect(mike.getByRole("dialog")).toHaveCount(0);
  await expect(opener).toBeFocused();
});

test("too large is told beside the file and never sent; what is cancelled is sent on retry; and it can be taken away", async ({
  browser,
}) => {
  const jane = await as(browser, "employee");
  await askForHardware(jane, title("Docking station"), "150");
  await expect(jane.getByText(/^None yet/)).toBeVisible();
  const posts: string[] = [];
  jane.on("request", (r) => r.method() === "POST" && r.url().endsWith("/attachments") && posts.push(r.url()));
  await choose(jane, bytes("film.bin", 26 * 1024 * 1024));
  await expect(uploadsOf(jane).getByText("26 MB · Too large: a file holds at most 25 MB.")).toBeVisible();
  expect(posts).toEqual([]);
  await jane.getByRole("button", { name: "Take film.bin off this list" }).click();
  await expect(uploadsOf(jane)).toHaveCount(0);

  await brake(jane, 200_000);
  await choose(jane, bytes("scan.bin", 3_000_000), text("a.txt", "a"));
  const progress = jane.getByRole("progressbar", { name: "Upload of scan.bin" });
  await expect
    .poll(async () => Number(await progress.getAttribute("aria-valuenow")), { timeout: 15_000 })
    .toBeGreaterThan(2);
  await expect(filesOf(jane).getByText("a.txt")).toBeVisible({ timeout: 15_000 });
  await jane.getByRole("tab", { name: "History" }).click(); // it goes on behind another tab of the page
  await expect(progress).toBeVisible();
  await jane.getByRole("button", { name: "Cancel the upload of scan.bin" }).click();
  await expect(uploadsOf(jane).getByText(/Cancelled$/)).toBeVisible();
  await expect(jane.getByRole("button", { name: "Take scan.bin off this list" })).toBeFocused();
  await brake(jane, 0);
  await jane.getByRole("button", { name: "Try again: scan.bin" }).click();
  await expect(filesOf(jane).getByText("scan.bin")).toBeVisible({ timeout: 15_000 });
  await expect(jane.getByText("added the file scan.bin")).toBeVisible();
  await expectNoSidewaysScroll(jane);

  await jane.getByRole("button", { name: "Remove scan.bin" }).click();
  await expectNoViolations(jane);
  await jane.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(filesOf(jane).getByText("scan.bin")).toHaveCount(0);
  await expect(jane.getByRole("button", { name: "Add files" })).toBeFocused();
});

test("a file that fails loses nothing: the request is kept as a draft, and sent after a retry", async ({
  browser,
}) => {
  const what = title("Chair");
  const jane = await as(browser, "employee");
  await fillIn(jane, what);
  await choose(jane, text("good.txt", "good"), png("bad.png"));
  await jane.route("**/attachments", async (route) => {
    const isBad = route.request().postDataBuffer()?.includes("bad.png");
    await (isBad ? route.fulfill({ status: 503, body: "{}" }) : route.continue());
  });
  await jane.getByRole("button", { name: "Submit" }).click();
  await jane.waitForURL(/\/tickets\/\d+$/);
  await expect(jane.getByText(/is kept as a draft: not every file was added/).first()).toBeVisible();
  await expect(jane.locator("header").getByText("○ Draft")).toBeVisible();
  await expect(filesOf(jane).getByText("good.txt")).toBeVisible();
  await expect(uploadsOf(jane).getByText("bad.png")).toBeVisible();
  await jane.unroute("**/attachments");
  await jane.getByRole("button", { name: "Try again: bad.png" }).click();
  await expect(filesOf(jane).getByText("bad.png")).toBeVisible();
  await jane.getByRole("button", { name: "Submit" }).click();
  await expect(jane.locator("header").getByText("In review")).toBeVisible();
});

test("whoever leaves while files are on their way is asked", async ({ browser }) => {
  const jane = await as(browser, "employee");
  await askForHardware(jane, title("Keyboard"), "90");
  await brake(jane, 100_000);
  await choose(jane, bytes("long.bin", 5_000_000));
  const progress = jane.getByRole("progressbar", { name: "Upload of long.bin" });
  await expect(progress).toBeVisible();
  await jane.locator("main header").getByRole("link", { name: "Tickets" }).click();
  await expect(jane.getByRole("dialog", { name: "Files are still being uploaded" })).toBeVisible();
  await expectNoViolations(jane);
  await jane.getByRole("button", { name: "Stay here" }).click();
  await expect(jane).toHaveURL(/\/tickets\/\d+$/);
  await expect(progress).toBeVisible();
  await jane.locator("main header").getByRole("link", { name: "Tickets" }).click();
  await jane.getByRole("button", { name: "Leave" }).click();
  await expect(jane).toHaveURL(/\/tickets$/);
});

test("what the team adds for itself stays with the team; what is for all shows up by itself", async ({
  browser,
}) => {
  const jane = await as(browser, "employee");
  const path = await askForHardware(jane, title("Headset"), "80");
  const mike = await as(browser, "manager", `/approvals?ticket=${path.split("/").at(-1)}`);
  await mike.getByRole("button", { name: "Approve", exact: true }).click();
  await expect(jane.locator("header").getByText("Approved")).toBeVisible({ timeout: 15_000 });
  const agent = await as(browser, "agent", path);
  const audience = agent.getByRole("group", { name: "Who sees files added now" });
  await audience.getByRole("button", { name: "Internal" }).click();
  await choose(agent, text("supplier prices.txt", "secret"));
  await expect(filesOf(agent).getByRole("listitem").filter({ hasText: "supplier" })).toContainText(
    "Internal",
  );
  await audience.getByRole("button", { name: "Public" }).click();
  await choose(agent, text("handover.txt", "for all"));
  await expect(filesOf(jane).getByText("handover.txt")).toBeVisible({ timeout: 15_000 });
  await expect(jane.getByText("supplier prices.txt")).toHaveCount(0);
});

test("dropped anywhere and pasted", async ({ browser }) => {
  const jane = await as(browser, "employee");
  await askForHardware(jane, title("Mouse"), "40");
  await expect(jane.getByRole("button", { name: "Add files" })).toBeVisible();
  const transfer = await jane.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["dropped"], "dropped.txt", { type: "text/plain" }));
    return data;
  });
  await jane.dispatchEvent("h1", "dragover", { dataTransfer: transfer });
  await expect(jane.getByText("Drop files to add them")).toBeVisible();
  await jane.dispatchEvent("h1", "drop", { dataTransfer: transfer });
  await expect(jane.getByText("Drop files to add them")).toHaveCount(0);
  await expect(filesOf(jane).getByText("dropped.txt")).toBeVisible();
  await jane.evaluate(
    (given) => {
      const clipboardData = new DataTransfer();
      const picture = new Uint8Array(given);
      clipboardData.items.add(new File([picture], "image.png", { type: "image/png" }));
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    },
    [...png("x").buffer],
  );
  await expect(filesOf(jane).getByText(/^Pasted \d{4}-\d\d-\d\d/)).toBeVisible();
});

test("the list and every preview are accessible", async ({ browser }) => {
  test.setTimeout(90_000);
  const jane = await as(browser, "employee");
  await jane.goto(await askForHardware(jane, title("Screen"), "200"));
  await expect(jane.getByRole("button", { name: "Add files" })).toBeVisible();
  await choose(
    jane,
    png("photo.png"),
    text("notes.txt", "word ".repeat(50_000)),
    pdf("quote.pdf"),
    bytes("a very long name of a table that somebody exported from somewhere 2026.dat", 4000),
    bytes("film.bin", 26 * 1024 * 1024),
  );
  await expect(filesOf(jane).getByRole("listitem")).toHaveCount(4);
  await expectNoViolationsInBothThemes(jane);
  await jane.getByRole("button", { name: "Preview photo.png" }).click();
  const dialog = jane.getByRole("dialog");
  // In which order they arrived is not certain: three at once are on their way.
  const shown = {
    "photo.png": dialog.getByRole("img", { name: "photo.png" }),
    "notes.txt": dialog.getByText("Only the first 200 kB are shown."),
    "quote.pdf": dialog.getByRole("link", { name: "Open in a new tab" }).first(),
  };
  for (let n = 1; n <= 3; n++) {
    const name = (await dialog.getByRole("heading").innerText()) as keyof typeof shown;
    await expect(shown[name]).toBeVisible();
    await expectNoViolationsInBothThemes(jane);
    await expectNoSidewaysScroll(jane);
    await jane.getByRole("button", { name: "Next file" }).click();
    await expect(dialog.getByRole("heading", { name })).toHaveCount(0);
  }
});

test("on a phone everything is large enough for a thumb", async ({ browser }, info) => {
  test.skip(info.project.name !== "phone");
  const jane = await as(browser, "employee");
  await askForHardware(jane, title("Phone"), "70");
  await choose(jane, png("photo.png"), bytes("film.bin", 26 * 1024 * 1024));
  await expect(jane.getByRole("button", { name: "Take a photo" })).toBeVisible();
  await expect(jane.locator("input[capture]")).toHaveAttribute("accept", "image/*");
  const names = ["Add files", "Take a photo", "Download photo.png", "Remove photo.png", /^Take film.bin/];
  for (const name of names) {
    const box = await jane.getByRole("button", { name }).boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(43.9);
    expect(box?.width).toBeGreaterThanOrEqual(43.9);
  }
});
