/** A worker that dies in the middle of a bulk change leaves the rest to the next one, and nothing is done twice. */
import { expect, test, type APIRequestContext } from "@playwright/test";
import { kill, supervised, SUPERVISOR } from "./processes";
import { expectFound, PASSWORD, signIn, title } from "./support";

const MANY = 150;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const WORKER = "celery -A waypost.worker worker";

/** The same for each, ten at a time. */
async function inTens<T, R>(of: T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const found: R[] = [];
  for (let n = 0; n < of.length; n += 10) found.push(...(await Promise.all(of.slice(n, n + 10).map(work))));
  return found;
}

async function token(request: APIRequestContext, username: string): Promise<Record<string, string>> {
  const login = await request.post("/api/v1/auth/login", { data: { username, password: PASSWORD } });
  const { access_token } = (await login.json()) as { access_token: string };
  return { Authorization: `Bearer ${access_token}` };
}

/** So many requests of this title, and their ids. */
async function make(request: APIRequestContext, what: string): Promise<number[]> {
  const headers = await token(request, "employee");
  return inTens([...Array(MANY).keys()], async (n) => {
    const data = { title: `${what} ${n}`, ticket_type: "IT_SUPPORT", custom_fields: {}, submit: true };
    const made = await request.post("/api/v1/tickets", { data, headers });
    expect(made.status()).toBe(201);
    return ((await made.json()) as { id: number }).id;
  });
}

test("150 tickets, and the worker is killed half-way: each is changed once, and the job ends", async ({
  page,
  request,
}) => {
  test.skip(!SUPERVISOR, "SUPERVISOR_PID does not say whose worker process may be killed");
  test.setTimeout(150_000); // a quarter of a minute on a machine that does nothing else
  const what = title("Half-way");
  const ids = await make(request, what);
  const headers = await token(request, "agent");
  await expectFound(request, headers, what, MANY);
  await signIn(page, "agent", `/tickets?q=${encodeURIComponent(what)}&sort=created_at`);
  await page
    .getByLabel(/^Select ITS-/)
    .first()
    .click();
  await page.getByRole("button", { name: "Select all that match" }).click();
  await page
    .getByRole("region", { name: "Selected tickets" })
    .getByRole("button", { name: "Priority" })
    .click();
  await page.getByRole("menuitem", { name: "High" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByText(`${MANY} tickets will be changed`)).toBeVisible({ timeout: 20_000 });
  const begun = page.waitForResponse(
    (r) => new URL(r.url()).pathname.endsWith("/tickets/bulk") && r.request().method() === "POST",
  );
  await dialog.getByRole("button", { name: `Change ${MANY} tickets` }).click();
  const { job } = (await (await begun).json()) as { job: { id: number } };
  const done = async () => {
    const read = await request.get(`/api/v1/bulk-jobs/${job.id}`, { headers });
    return ((await read.json()) as { done: number }).done;
  };

  // Struck as soon as it has begun, by what is committed; what is left afterwards is left by the dead.
  while ((await done()) < 5) await pause(5);
  const killed = supervised(WORKER);
  expect(killed).toBeGreaterThan(0);
  kill(killed);
  let atDeath = await done();
  for (let before = -1; before !== atDeath; atDeath = await done()) {
    before = atDeath; // what it had sent already, the database still keeps
    await pause(100);
  }
  expect(atDeath).toBeGreaterThanOrEqual(5);
  expect(atDeath).toBeLessThan(MANY);
  const progress = page.getByRole("region", { name: "Progress" });
  await expect(progress.getByText(`${atDeath} of ${MANY} …`)).toBeVisible();
  await expect(progress.getByRole("progressbar")).toBeVisible();

  await expect(progress.getByText(`${MANY} tickets changed`)).toBeVisible({ timeout: 40_000 });
  const next = supervised(WORKER);
  expect(next).toBeGreaterThan(0);
  expect(next).not.toBe(killed);
  await expect(page.getByRole("row").nth(1).getByText("High")).toBeVisible({ timeout: 15_000 });
  await inTens(ids, async (id) => {
    const read = await request.get(`/api/v1/tickets/${id}/history?limit=100`, { headers });
    const { items } = (await read.json()) as { items: { summary: string }[] };
    expect(items.filter((e) => /priority/i.test(e.summary))).toHaveLength(1);
  });
});
