// @vitest-environment jsdom
import { QueryClient, VueQueryPlugin } from "@tanstack/vue-query";
import { mount } from "@vue/test-utils";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useSession } from "@/stores/session";
import { DELAY, useOutbox } from "./outbox";

let sent: { key: string | null; body: Record<string, unknown>; keepalive: boolean }[] = [];
let answer: () => Response | Promise<Response> = () => Response.json({ id: 1 }, { status: 201 });

function start(): ReturnType<typeof useOutbox> {
  const pinia = createPinia();
  setActivePinia(pinia);
  let store: ReturnType<typeof useOutbox> | undefined;
  mount(
    {
      setup() {
        useSession().user = { id: 7 } as never;
        store = useOutbox();
        return () => null;
      },
    },
    { global: { plugins: [pinia, [VueQueryPlugin, { queryClient: new QueryClient() }]] } },
  );
  return store as ReturnType<typeof useOutbox>;
}
const words = { ticketId: 4, visibility: "PUBLIC" as const, body: "hello", after: 3, version: 2 };

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  sent = [];
  answer = () => Response.json({ id: 1 }, { status: 201 });
  vi.stubGlobal("fetch", async (request: Request) => {
    const text = await request.clone().text();
    sent.push({
      key: request.headers.get("Idempotency-Key"),
      body: JSON.parse(text),
      keepalive: request.keepalive,
    });
    return answer();
  });
});
afterEach(() => vi.useRealTimers());

it("waits for a second thought, then sends once", async () => {
  const box = start();
  box.add(words);
  await vi.advanceTimersByTimeAsync(DELAY - 10);
  expect(sent).toEqual([]);
  await vi.advanceTimersByTimeAsync(50);
  expect(sent.map((s) => s.body)).toEqual([
    { body: "hello", visibility: "PUBLIC", after_comment_id: 3, after_version: 2 },
  ]);
  expect(box.of(4)).toEqual([]);
});

it("gives the words back before they leave", async () => {
  const box = start();
  box.add(words);
  const [entry] = box.of(4);
  expect(box.undo(entry!.id)?.body).toBe("hello");
  await vi.advanceTimersByTimeAsync(2 * DELAY);
  expect(sent).toEqual([]);
});

it("is stopped by a newer reply, and sent over it when asked", async () => {
  answer = () =>
    Response.json({ status: 409, code: "newer_reply", detail: "Newer", comment_ids: [9] }, { status: 409 });
  const box = start();
  box.add(words);
  await vi.advanceTimersByTimeAsync(DELAY + 50);
  const [entry] = box.of(4);
  expect(entry).toMatchObject({ state: "stopped", newer: [9], body: "hello" });
  expect(box.unseen.map((p) => p.id)).toEqual([entry!.id]);
  answer = () => Response.json({ id: 1 }, { status: 201 });
  box.sendNow(entry!.id);
  await vi.advanceTimersByTimeAsync(50);
  expect(sent[1]?.body).toEqual({ body: "hello", visibility: "PUBLIC" });
  expect(sent[1]?.key).toBe(sent[0]?.key);
  expect(box.of(4)).toEqual([]);
});

it("keeps what could not be sent", async () => {
  answer = () => Promise.reject(new TypeError("failed"));
  const box = start();
  const done = box.look(4);
  box.add(words);
  await vi.advanceTimersByTimeAsync(DELAY + 50);
  expect(box.of(4)[0]).toMatchObject({ state: "stopped", body: "hello", newer: [] });
  expect(box.unseen).toEqual([]);
  done();
  answer = () => Response.json({ id: 1 }, { status: 201 });
  window.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(50);
  expect(box.of(4)).toEqual([]);
});

it("leaves with the page, and is the same comment when it leaves again", async () => {
  start().add(words);
  await vi.advanceTimersByTimeAsync(100);
  window.dispatchEvent(new Event("pagehide"));
  await vi.advanceTimersByTimeAsync(10);
  expect(sent.length).toBeGreaterThanOrEqual(1);
  const [first] = sent;
  expect(first?.keepalive).toBe(true);
  sent = [];
  const again = start();
  await vi.advanceTimersByTimeAsync(100);
  expect(sent.map((s) => s.key)).toEqual([first?.key]);
  expect(sent[0]?.body).toEqual(first?.body);
  expect(again.of(4)).toEqual([]);
});

it("another tab's comment is left to it for a while", async () => {
  start().add(words);
  const second = start();
  await vi.advanceTimersByTimeAsync(DELAY - 100);
  expect(sent).toEqual([]);
  expect(second.of(4)).toHaveLength(1);
});
