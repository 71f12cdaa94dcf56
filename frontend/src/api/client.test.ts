import { beforeEach, expect, it, vi } from "vitest";
import { authorised, data, idempotencyKey, postForm, useTokens } from "./client";
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

/** As much of an upload as `postForm` uses; each answers with the next of `statuses`, 0 for a dead line. */
function serveForms(statuses: number[], body = '{"id":7}') {
  const sent: string[] = [];
  class Upload {
    upload: { onprogress?: (event: object) => void } = {};
    responseText = body;
    status = 0;
    onload?: () => void;
    onerror?: () => void;
    onabort?: () => void;
    onloadend?: () => void;
    open(): void {}
    setRequestHeader(name: string, value: string): void {
      if (name === "Authorization") sent.push(value);
    }
    getResponseHeader = (name: string) => (name === "x-request-id" ? "abc" : null);
    abort(): void {
      this.onabort?.();
    }
    send(): void {
      this.upload.onprogress?.({ lengthComputable: true, loaded: 1, total: 4 });
      const status = statuses.shift();
      if (status === undefined) return; // never answers
      this.status = status;
      (status ? this.onload : this.onerror)?.();
      this.onloadend?.();
    }
  }
  vi.stubGlobal("XMLHttpRequest", Upload);
  return sent;
}
const life = () => new AbortController();
const form = new FormData();

it("sends a form with its token, tells how far it is, and renews once", async () => {
  useTokens({ access: () => token, renew: async () => ((token = "new"), true), ended });
  const sent = serveForms([401, 201]);
  const onProgress = vi.fn();
  expect(await postForm("/x", form, { signal: life().signal, onProgress })).toEqual({ id: 7 });
  expect(sent).toEqual(["Bearer old", "Bearer new"]);
  expect(onProgress).toHaveBeenCalledWith(0.25);
  expect(ended).not.toHaveBeenCalled();
});

it("throws what a form was refused with, and says when the session is over", async () => {
  useTokens({ access: () => token, renew: async () => false, ended });
  const how = { signal: life().signal, onProgress: () => undefined };
  serveForms([413], '{"code":"attachment_too_large","detail":"No."}');
  await expect(postForm("/x", form, how)).rejects.toMatchObject({
    status: 413,
    code: "attachment_too_large",
    requestId: "abc",
  });
  serveForms([502], "<html>");
  await expect(postForm("/x", form, how)).rejects.toMatchObject({ status: 502 });
  serveForms([0]);
  await expect(postForm("/x", form, how)).rejects.toMatchObject({ status: 0, code: "offline" });
  serveForms([401]);
  await expect(postForm("/x", form, how)).rejects.toMatchObject({ status: 401 });
  expect(ended).toHaveBeenCalledOnce();
});

it("stops a form that is on its way, and one that has not begun", async () => {
  serveForms([]);
  const stop = life();
  const going = postForm("/x", form, { signal: stop.signal, onProgress: () => undefined });
  stop.abort();
  await expect(going).rejects.toMatchObject({ name: "AbortError" });
  await expect(
    postForm("/x", form, { signal: stop.signal, onProgress: () => undefined }),
  ).rejects.toMatchObject({ name: "AbortError" });
  vi.unstubAllGlobals();
});
