/** Merging says beforehand who will see what, holds people to what they looked at, and links give nothing away. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { as, expectNoViolations, PASSWORD, signIn, title } from "./support";

interface Made {
  id: number;
  ticket_number: string;
}
type Headers = Record<string, string>;

async function token(request: APIRequestContext, username: string): Promise<Headers> {
  const login = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  const { access_token } = (await login.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}

async function whoIs(request: APIRequestContext, username: string): Promise<{ id: number; name: string }> {
  const me = await request.get("/api/v1/auth/me", { headers: await token(request, username) });
  return (await me.json()) as { id: number; name: string };
}

/** Somebody's request, made without a browser. */
async function make(
  request: APIRequestContext,
  words: string,
  more: object = {},
  who = "employee",
): Promise<Made> {
  const data = { title: words, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true, ...more };
  const made = await request.post("/api/v1/tickets", { data, headers: await token(request, who) });
  expect(made.status()).toBe(201);
  return (await made.json()) as Made;
}

/** Open the dialog on a ticket's page and choose the request that goes on. */
async function choose(page: Page, main: Made): Promise<void> {
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Merge into another…" }).click();
  const dialog = page.getByRole("dialog");
  await expect(page.getByRole("menu")).toBeHidden();
  await dialog.getByRole("combobox").click();
  await dialog.getByRole("combobox").fill(main.ticket_number);
  await expect(page.getByRole("option")).toHaveCount(1);
  await page.getByRole("option", { name: new RegExp(main.ticket_number) }).click();
  await expect(dialog.getByText("What will happen")).toBeVisible();
}

test("who will see a confidential request is named, and agreed to", async ({ page, browser, request }) => {
  const main = await make(request, title("Salary"), { is_confidential: true });
  const double = await make(request, title("Pay"), {}, "colleague");
  const colleague = await as(browser, "colleague", `/tickets/${main.id}`);
  await expect(colleague.getByText("Not found")).toBeVisible();
  await signIn(page, "agent", `/tickets/${double.id}`);
  await choose(page, main);
  const dialog = page.getByRole("dialog");
  await expect(
    dialog.getByText(/The other request is confidential, and will be seen by: Carlos Reyes/),
  ).toBeVisible();
  const go = dialog.getByRole("button", { name: "Merge" });
  await expect(go).toBeDisabled();
  await page.keyboard.press("Enter");
  await expect(go).toBeDisabled();
  await expectNoViolations(page);
  await dialog.getByLabel("I have seen this, and it is meant to be so").click();
  await go.click();
  await expect(page.getByText("This was the same as another request")).toBeVisible();
  await colleague.reload();
  await expect(colleague.getByRole("heading", { level: 1 })).toContainText("Salary");
});

test("when other people would see it by now, one is asked again", async ({ page, browser, request }) => {
  const main = await make(request, title("Salary"), { is_confidential: true });
  const double = await make(request, title("Pay"), {}, "colleague");
  await signIn(page, "agent");
  await page.route("**/api/v1/events/stream", (route) => route.abort());
  await page.goto(`/tickets/${double.id}`);
  await choose(page, main);
  const dialog = page.getByRole("dialog");
  const agreed = dialog.getByLabel("I have seen this, and it is meant to be so");
  const go = dialog.getByRole("button", { name: "Merge" });
  await agreed.click();
  await expect(go).toBeEnabled();

  // Meanwhile somebody else lets a third person into the duplicate.
  const headers = await token(request, "agent2");
  const third = await whoIs(request, "outsider");
  const path = `/api/v1/tickets/${double.id}/watchers/${third.id}`;
  expect((await request.put(path, { headers, data: {} })).ok()).toBe(true);
  const outsider = await as(browser, "outsider", `/tickets/${main.id}`);
  await expect(outsider.getByText("Not found")).toBeVisible();

  await go.click(); // this screen has not heard of it
  await expect(dialog.getByText(/would do something else by now/)).toBeVisible({ timeout: 15_000 });
  await expect(dialog.getByRole("alert").filter({ hasText: third.name })).toBeVisible();
  await expect(agreed).not.toBeChecked();
  await expect(go).toBeDisabled();
  await outsider.reload();
  await expect(outsider.getByText("Not found")).toBeVisible();
  await agreed.click();
  await go.click();
  await expect(dialog).toBeHidden();
  await outsider.reload();
  await expect(outsider.getByRole("heading", { level: 1 })).toContainText("Salary");
});

test("without a warning it still says who will see the other request", async ({ page, request }) => {
  const main = await make(request, title("Printer"));
  const double = await make(request, title("Printing"), {}, "colleague");
  await signIn(page, "agent", `/tickets/${double.id}`);
  await choose(page, main);
  const dialog = page.getByRole("dialog");
  await expect(
    dialog.getByText(new RegExp(`will see ${main.ticket_number} from then on, and watch it`)),
  ).toBeVisible();
  await dialog.getByRole("button", { name: "Merge" }).click();
  await expect(page.getByText("This was the same as another request")).toBeVisible();
});

test("a link to a request one may not see says no more than that there is one", async ({
  page,
  browser,
  request,
}) => {
  const mine = await make(request, title("Badge"));
  const theirs = await make(request, title("Contract of Ms Doe"), { ticket_type: "HR" });
  const [hr, agentHeaders] = [await token(request, "hragent"), await token(request, "agent")];
  const watchers = `/api/v1/tickets/${theirs.id}/watchers/${(await whoIs(request, "agent")).id}`;
  expect((await request.put(watchers, { headers: hr, data: {} })).ok()).toBe(true);
  const made = await request.post(`/api/v1/tickets/${mine.id}/links`, {
    headers: agentHeaders,
    data: { word: "RELATES_TO", ticket_id: theirs.id },
  });
  expect(made.status()).toBe(201);

  const team = await as(browser, "hragent", `/tickets/${theirs.id}`);
  const links = team
    .locator("section")
    .filter({ has: team.getByRole("heading", { name: "Linked requests" }) });
  await expect(links.getByText("another request")).toBeVisible();
  await expect(links.getByRole("link")).toHaveCount(0);
  await expect(team.getByText(mine.ticket_number)).toHaveCount(0);
  await expectNoViolations(team);
  await signIn(page, "agent", `/tickets/${mine.id}`);
  await expect(page.getByRole("link", { name: new RegExp(theirs.ticket_number) })).toBeVisible();
  await links.getByRole("button", { name: /another request/ }).click();
  await expect(team.getByText("another request")).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Badge");
  await expect(page.getByRole("link", { name: new RegExp(theirs.ticket_number) })).toHaveCount(0);
});
