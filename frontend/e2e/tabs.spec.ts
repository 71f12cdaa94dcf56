/** Several tabs of one browser share one line to the server, and none misses anything. */
import { expect, test, type APIRequestContext, type Page } from "@playwright/test";
import { PASSWORD, signIn, title } from "./support";

async function headers(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  return { Authorization: `Bearer ${((await login.json()) as { access_token: string }).access_token}` };
}

test("two tabs, one line; when the one that has it closes, the other goes on", async ({ page, request }) => {
  const agent = await headers(request, "agent");
  const made = await request.post("/api/v1/tickets", {
    data: { title: title("Shared line"), ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true },
    headers: await headers(request, "employee"),
  });
  const { id } = (await made.json()) as { id: number };
  const say = (body: string) =>
    request.post(`/api/v1/tickets/${id}/comments`, { data: { body, visibility: "PUBLIC" }, headers: agent });
  const shows = (where: Page, words: string) =>
    expect(where.getByText(words).first()).toBeVisible({ timeout: 10_000 });

  const lines: string[] = [];
  page.context().on("request", (asked) => {
    if (asked.url().endsWith("/events/stream")) lines.push(asked.url());
  });
  await signIn(page, "employee", `/tickets/${id}`);
  await expect.poll(() => lines.length).toBe(1);
  const second = await page.context().newPage();
  await second.goto(`/tickets/${id}`);
  await expect(second.getByRole("heading", { level: 1 })).toBeVisible();
  await say("First words for both tabs");
  await shows(page, "First words for both tabs");
  await shows(second, "First words for both tabs");
  expect(lines).toHaveLength(1);

  await page.close();
  await expect.poll(() => lines.length).toBe(2);
  await say("Second words for the one that is left");
  await shows(second, "Second words for the one that is left");
});
