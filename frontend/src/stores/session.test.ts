// @vitest-environment jsdom
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, it, vi } from "vitest";
import type { Me } from "@/api/generated";
import { useSession } from "./session";

const MARK = "waypost.session";
let asked: string[] = [];
let refuses = false;

beforeEach(() => {
  asked = [];
  refuses = false;
  localStorage.clear();
  setActivePinia(createPinia());
  vi.stubGlobal("fetch", async (request: Request) => {
    const path = new URL(request.url).pathname.replace("/api/v1/auth/", "");
    asked.push(path);
    if (refuses) return new Response('{"status":401}', { status: 401 });
    if (path === "sign-out") return Response.json({ url: null });
    return Response.json({ access_token: "t", username: "jane", permissions: ["tickets:read"] });
  });
});

it("a first visit asks the server nothing", async () => {
  await useSession().restore();
  expect(asked).toEqual([]);
});

it("whoever signed in comes back after a reload, and not after signing out", async () => {
  await useSession().login("jane", "x");
  expect(localStorage.getItem(MARK)).not.toBeNull();

  setActivePinia(createPinia());
  const later = useSession();
  await later.restore();
  expect(later.user?.username).toBe("jane");
  expect(later.can("tickets:read")).toBe(true);

  await later.logout();
  setActivePinia(createPinia());
  asked = [];
  await useSession().restore();
  expect(asked).toEqual([]);
});

it("a session the server has ended is asked about once", async () => {
  localStorage.setItem(MARK, "1");
  refuses = true;
  const session = useSession();
  await session.restore();
  await session.restore();
  expect(asked).toEqual(["refresh"]);
  expect(session.user).toBeNull();
  expect(localStorage.getItem(MARK)).toBeNull();
});

it("a server that is away ends nothing: the next navigation asks again", async () => {
  localStorage.setItem(MARK, "1");
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed")));
  const session = useSession();
  await session.restore();
  expect(localStorage.getItem(MARK)).not.toBeNull();
});

it("what another tab has just voided is asked for again; the newest is in this browser by now", async () => {
  localStorage.setItem(MARK, "1");
  let refusals = 2;
  const answer = globalThis.fetch;
  vi.stubGlobal("fetch", async (request: Request) => {
    if (request.url.endsWith("/refresh") && refusals-- > 0)
      return Response.json({ status: 401, code: "tokens_renewed" }, { status: 401 });
    return answer(request);
  });
  const session = useSession();
  await session.restore();
  expect(session.user?.username).toBe("jane");
  expect(asked).toEqual(["refresh", "me"]);
});

it("somebody else in this browser is nobody this page goes on for", async () => {
  const reload = vi.fn();
  vi.stubGlobal("location", { ...window.location, reload });
  const me = (id: number) => ({ access_token: `of ${id}`, user: { id } as Me });
  const session = useSession();
  session.user = { id: 1 } as never;
  session.enter(me(1));
  expect(session.accessToken()).toBe("of 1");
  session.hasEnded = true;
  expect(() => session.enter(me(2))).toThrow("Somebody else");
  expect(reload).toHaveBeenCalledOnce();
  expect([session.accessToken(), session.hasEnded]).toEqual(["of 1", true]);
  vi.unstubAllGlobals();
});
