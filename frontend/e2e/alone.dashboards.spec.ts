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
