/** Each number of a dashboard leads to as many requests: asked while nobody else adds some. */
import { expect, test } from "@playwright/test";
import { signIn } from "./support";

for (const username of ["employee", "agent", "manager", "executive"]) {
  test(`each count leads to as many requests, for ${username}`, async ({ page }) => {
    await signIn(page, username, "/reports");
    await expect(page.getByText(/^Counted at/)).toBeVisible();
    const tiles = page.getByRole("main").getByRole("link", { name: /^(Open|Created in|Completed in).*\d+$/ });
    const addresses = await tiles.evaluateAll((all) =>
      all.map(
        (a) => [a.getAttribute("href") ?? "", /([\d,]+)$/.exec(a.textContent.trim())?.[1] ?? ""] as const,
      ),
    );
    expect(addresses.length).toBeGreaterThanOrEqual(5);
    for (const [address, said] of addresses) {
      const query = address.slice(address.indexOf("?"));
      const answer = page.waitForResponse((r) => r.url().includes("/api/v1/tickets/count?"));
      await page.goto(address);
      const { count } = (await (await answer).json()) as { count: number };
      expect(count, query).toBe(Number(said.replaceAll(",", "")));
    }
  });
}

test("what waits for an approver leads to exactly that", async ({ page }) => {
  await signIn(page, "executive", "/reports");
  const approvers = page.getByRole("region", { name: "Approvals by person and stage" }).first();
  await approvers.getByText("Show as a table").click();
  const row = approvers
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader").getByRole("link") })
    .first();
  const name = ((await row.getByRole("rowheader").textContent()) ?? "").split(" · ")[0] ?? "";
  const waiting = row.getByRole("cell").last();
  const count = Number(await waiting.textContent());
  expect(count).toBeGreaterThan(0);
  const counted = page.waitForResponse((r) => r.url().includes("/api/v1/tickets/count") && r.ok());
  await waiting.getByRole("link").click();
  expect(((await (await counted).json()) as { count: number }).count).toBe(count);
  await expect(page.getByRole("button", { name: `Approver it waits for is ${name}` })).toBeVisible();
});
