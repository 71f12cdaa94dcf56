import { beforeEach, expect, it, vi } from "vitest";
import { authorised, data, idempotencyKey, useTokens } from "./client";
import { asProblem, Problem } from "./problem";

const ended = vi.fn();
let token = "old";
const answer = (status: number, body = "{}") => new Response(body, { status });
const url = "http://localhost/api/v1/tickets";

beforeEach(() => {
  token = "old";
  ended.mockReset();
});

function serve(renew: () => Promise<boolean>) {
  useTokens({ access: () => token, renew, ended });
  const calls: string[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    calls.push(request.headers.get("authorization") ?? "");
    return answer(request.headers.get("authorization") === "Bearer new" ? 200 : 401);
  });
  return calls;
}

it("renews once and sends again, with its body", async () => {
  const calls = serve(async () => {
    token = "new";
    return true;
  });
  expect((await authorised(url, { method: "POST", body: "{}" })).status).toBe(200);
  expect(calls).toEqual(["Bearer old", "Bearer new"]);
  expect(ended).not.toHaveBeenCalled();
});

it("says when the session is over, and does not ask for ever", async () => {
  const calls = serve(async () => false);
  expect((await authorised(url)).status).toBe(401);
  expect(calls).toHaveLength(1);
  expect(ended).toHaveBeenCalledOnce();
});

it("does not renew for the door itself", async () => {
  const renew = vi.fn(async () => true);
  serve(renew);
  await authorised("http://localhost/api/v1/auth/login", { method: "POST" });
  expect(renew).not.toHaveBeenCalled();
});

it("turns a dead line into a problem, and leaves a cancelled request alone", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed")));
  await expect(authorised(url)).rejects.toMatchObject({ status: 0, code: "offline" });
  vi.stubGlobal("fetch", async () => Promise.reject(new DOMException("stop", "AbortError")));
  await expect(authorised(url)).rejects.toMatchObject({ name: "AbortError" });
});

it("throws problems with their fields", async () => {
  const problem = new Problem(422, {
    code: "invalid",
    detail: "No.",
    errors: [{ pointer: "/custom_fields/a~1b", message: "is needed" }],
  });
  await expect(data(Promise.resolve({ error: problem }))).rejects.toBe(problem);
  expect(problem.byField).toEqual({ "custom_fields.a/b": "is needed" });
  expect(asProblem(new Error("x")).status).toBe(0);
  expect(await data(Promise.resolve({ data: 5 }))).toBe(5);
});

it("makes a new key each time, also outside a secure context", () => {
  expect(idempotencyKey()).not.toBe(idempotencyKey());
  vi.stubGlobal("crypto", { getRandomValues: (a: Uint8Array) => a.fill(7) });
  expect(idempotencyKey()).toBe("07".repeat(16));
  vi.unstubAllGlobals();
});
