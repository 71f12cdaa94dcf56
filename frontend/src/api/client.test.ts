import { beforeEach, describe, expect, it, vi } from "vitest";
import { authorised, data, dropWaiting, goOn, idempotencyKey, postForm, useTokens } from "./client";
import { asProblem, Problem } from "./problem";

const ended = vi.fn(() => false);
const alone = <T>(work: () => Promise<T>) => work();
let token: string | null = "old";
const answer = (status: number, body = "{}") => new Response(body, { status });
const url = "http://localhost/api/v1/tickets";

beforeEach(() => {
  token = "old";
  ended.mockReset().mockReturnValue(false);
  dropWaiting();
});

function serve(renew: () => Promise<boolean>) {
  useTokens({ access: () => token, renew, ended, alone });
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

/** A session that is over, of somebody who is there and can sign in again. */
function over() {
  ended.mockReturnValue(true);
  const renew = vi.fn(async () => {
    token = null;
    return false;
  });
  return { calls: serve(renew), renew };
}
function signInAgain() {
  token = "new";
  goOn();
}
const settled = (call: Promise<unknown>) =>
  Promise.race([
    call.then(
      () => "done",
      () => "refused",
    ),
    new Promise((resolve) => setTimeout(() => resolve("waits"), 5)),
  ]);

describe("a session that is over while its person is there", () => {
  it("lets what is read wait, and sends it once they are back", async () => {
    const { calls, renew } = over();
    const first = authorised(url);
    expect(await settled(first)).toBe("waits");
    const second = authorised(`${url}?more`);
    expect(await settled(second)).toBe("waits");
    expect(calls).toEqual(["Bearer old"]);
    expect(renew).toHaveBeenCalledOnce();
    signInAgain();
    expect((await first).status).toBe(200);
    expect((await second).status).toBe(200);
    expect(calls).toEqual(["Bearer old", "Bearer new", "Bearer new"]);
  });

  it("refuses what changes something, and sends none of it later", async () => {
    const { calls } = over();
    expect((await authorised(url, { method: "POST", body: "{}" })).status).toBe(401);
    await expect(authorised(url, { method: "PUT", body: "{}" })).rejects.toMatchObject({
      status: 401,
      code: "session_ended",
    });
    const how = { signal: life().signal, onProgress: () => undefined };
    await expect(postForm("/x", form, how)).rejects.toMatchObject({ code: "session_ended" });
    signInAgain();
    expect(calls).toEqual(["Bearer old"]);
    expect((await authorised(url, { method: "PUT", body: "{}" })).status).toBe(200);
  });

  it("drops what waits when nobody comes back, and what nobody wants any more", async () => {
    const { calls } = over();
    const left = new AbortController();
    const one = authorised(url, { signal: left.signal });
    const other = authorised(url);
    await settled(one);
    left.abort();
    await expect(one).rejects.toMatchObject({ name: "AbortError" });
    await expect(authorised(url, { signal: left.signal })).rejects.toMatchObject({ name: "AbortError" });
    dropWaiting();
    await expect(other).rejects.toMatchObject({ name: "AbortError" });
    expect(calls).toHaveLength(2);
  });

  it("opens the door all the while", async () => {
    over();
    await authorised(url, { method: "DELETE" });
    expect((await authorised("http://localhost/api/v1/auth/login", { method: "POST" })).status).toBe(401);
    expect((await authorised("http://localhost/api/v1/auth/mfa/verify", { method: "POST" })).status).toBe(
      401,
    );
  });
});

it("exchanges tokens alone among its tabs, and never renews while it does", async () => {
  const order: string[] = [];
  const calls = serve(async () => {
    order.push("renews");
    token = "new";
    return true;
  });
  useTokens({
    access: () => token,
    renew: async () => (order.push("renews"), (token = "new"), true),
    ended,
    alone: async (work) => {
      order.push("takes");
      const done = await work();
      order.push("gives back");
      return done;
    },
  });
  const path = "http://localhost/api/v1/auth/step-up";
  expect((await authorised(path, { method: "POST", body: "{}" })).status).toBe(200);
  expect(order).toEqual(["takes", "gives back", "renews", "takes", "gives back"]);
  expect(calls).toEqual(["Bearer old", "Bearer new"]);
  order.length = 0;
  await authorised(path);
  expect(order).toEqual([]);
});

it("renews twice and no more: what it got may be voided by another tab at once", async () => {
  let renewals = 0;
  const calls = serve(async () => {
    renewals += 1;
    token = renewals === 2 ? "new" : "voided";
    return true;
  });
  expect((await authorised(url)).status).toBe(200);
  expect(calls).toEqual(["Bearer old", "Bearer voided", "Bearer new"]);
  token = "x";
  renewals = 5;
  expect((await authorised(url)).status).toBe(401);
  expect(renewals).toBe(7);
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
  useTokens({ access: () => token, renew: async () => ((token = "new"), true), ended, alone });
  const sent = serveForms([401, 201]);
  const onProgress = vi.fn();
  expect(await postForm("/x", form, { signal: life().signal, onProgress })).toEqual({ id: 7 });
  expect(sent).toEqual(["Bearer old", "Bearer new"]);
  expect(onProgress).toHaveBeenCalledWith(0.25);
  expect(ended).not.toHaveBeenCalled();
});

it("throws what a form was refused with, and says when the session is over", async () => {
  useTokens({ access: () => token, renew: async () => false, ended, alone });
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
