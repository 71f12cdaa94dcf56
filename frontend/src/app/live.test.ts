// @vitest-environment jsdom
import { QueryClient } from "@tanstack/vue-query";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, expect, it, vi } from "vitest";
import { authorised } from "@/api/client";
import { follow, parse, spread } from "./live";

vi.mock("@/api/client", async (original) => ({
  ...(await original<typeof import("@/api/client")>()),
  authorised: vi.fn(),
}));

it("takes whole events and keeps the rest", () => {
  const [events, rest] = parse(
    'id: 1-2\nevent: ticket.updated\ndata: {"id": 7}\n\n: still here\n\nid: 1-3\nev',
  );
  expect(events).toEqual([{ id: "1-2", name: "ticket.updated", data: { id: 7 } }]);
  expect(rest).toBe("id: 1-3\nev");
});

it("reads the line ends of every server", () => {
  const [events, rest] = parse('event: a\r\ndata: {}\r\n\r\nevent: b\r\ndata: {"x":"a: b"}\r\n\r\n');
  expect(events.map((e) => [e.name, e.data])).toEqual([
    ["a", {}],
    ["b", { x: "a: b" }],
  ]);
  expect(rest).toBe("");
});

function setVisibility(state: "hidden" | "visible"): void {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}

it("lets go of its line when nobody looks, and comes back with what was missed", async () => {
  vi.useFakeTimers();
  setActivePinia(createPinia());
  const queries = new QueryClient();
  const invalidated = vi.spyOn(queries, "invalidateQueries");
  const lines: { headers: Headers; signal: AbortSignal }[] = [];
  vi.mocked(authorised).mockImplementation((_, init) => {
    const signal = init?.signal as AbortSignal;
    lines.push({ headers: new Headers(init?.headers), signal });
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('id: 7\nevent: other\ndata: {"a":1}\n\n'));
        signal.addEventListener("abort", () => controller.error(new DOMException("", "AbortError")));
      },
    });
    return Promise.resolve(new Response(body, { status: 200 }));
  });
  const stop = follow(queries);
  await vi.advanceTimersByTimeAsync(10);
  expect(lines).toHaveLength(1);
  setVisibility("hidden");
  await vi.advanceTimersByTimeAsync(30_000);
  expect(lines[0]?.signal.aborted).toBe(false);
  setVisibility("visible");
  setVisibility("hidden");
  await vi.advanceTimersByTimeAsync(35_000); // short looks count: the time starts anew, the quiet line ends by itself
  setVisibility("hidden");
  await vi.advanceTimersByTimeAsync(300_000);
  expect(lines.filter((l) => !l.signal.aborted)).toHaveLength(0);
  const before = lines.length;
  setVisibility("visible");
  await vi.advanceTimersByTimeAsync(10);
  expect(lines).toHaveLength(before + 1);
  expect(lines.at(-1)?.headers.get("Last-Event-ID")).toBe("7");
  expect(invalidated).toHaveBeenCalled();
  stop();
  await vi.advanceTimersByTimeAsync(10);
  expect(lines.at(-1)?.signal.aborted).toBe(true);
  vi.useRealTimers();
});

/** Two tabs of one browser: locks as browsers have them, and a channel between the tabs. */
class Lock {
  private queue: Promise<unknown> = Promise.resolve();
  request(_: string, options: { signal: AbortSignal }, work: () => Promise<void>): Promise<void> {
    const turn = this.queue.then(() => (options.signal.aborted ? undefined : work()));
    this.queue = turn.catch(() => undefined);
    return turn;
  }
}
class Channel {
  static open: Channel[] = [];
  onmessage: ((event: { data: unknown }) => void) | null = null;
  constructor() {
    Channel.open.push(this);
  }
  postMessage(data: unknown): void {
    for (const other of Channel.open) if (other !== this) other.onmessage?.({ data });
  }
  close(): void {
    Channel.open = Channel.open.filter((other) => other !== this);
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
  Reflect.deleteProperty(navigator, "locks");
  vi.useRealTimers();
  Channel.open = [];
});

it("has one line for all tabs, and another tab goes on where one is closed", async () => {
  vi.useFakeTimers();
  setActivePinia(createPinia());
  setVisibility("visible");
  vi.stubGlobal("BroadcastChannel", Channel);
  Object.defineProperty(navigator, "locks", { value: new Lock(), configurable: true });
  const lines: { last: string | null; say: (id: number) => void; signal: AbortSignal }[] = [];
  vi.mocked(authorised).mockImplementation((_, init) => {
    const signal = init?.signal as AbortSignal;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        signal.addEventListener("abort", () => controller.error(new DOMException("", "AbortError")));
        lines.push({
          last: new Headers(init?.headers).get("Last-Event-ID"),
          say: (id) =>
            controller.enqueue(new TextEncoder().encode(`id: ${id}\nevent: other\ndata: {"n":${id}}\n\n`)),
          signal,
        });
      },
    });
    return Promise.resolve(new Response(body, { status: 200 }));
  });
  const [first, second] = [new QueryClient(), new QueryClient()];
  const refetched = [first, second].map((queries) => vi.spyOn(queries, "invalidateQueries"));
  const stops = [follow(first), follow(second)];
  await vi.advanceTimersByTimeAsync(1000);
  expect(lines).toHaveLength(1);
  lines[0]!.say(7);
  lines[0]!.say(8);
  await vi.advanceTimersByTimeAsync(10);
  expect(refetched[1]).not.toHaveBeenCalled(); // it heard all there was, one after the other

  Channel.open[1]!.onmessage!({ data: { event: { id: "8", name: "other", data: {} }, before: "7" } });
  expect(refetched[1]).not.toHaveBeenCalled(); // what it knows already is nothing new
  Channel.open[1]!.onmessage!({ data: { event: { id: "12", name: "other", data: {} }, before: "11" } });
  expect(refetched[1]).toHaveBeenCalledTimes(1); // it slept through 11: everything is asked for anew

  stops[0]!();
  await vi.advanceTimersByTimeAsync(10);
  expect(lines).toHaveLength(2);
  expect(lines[0]!.signal.aborted).toBe(true);
  expect(lines[1]!.last).toBe("12");
  expect(refetched[1]).toHaveBeenCalledTimes(2);
  stops[1]!();
  await vi.advanceTimersByTimeAsync(10);
  expect(Channel.open).toHaveLength(0);
});

it("says in every tab how the line is", async () => {
  vi.useFakeTimers();
  setActivePinia(createPinia());
  setVisibility("visible");
  vi.stubGlobal("BroadcastChannel", Channel);
  Object.defineProperty(navigator, "locks", { value: new Lock(), configurable: true });
  vi.mocked(authorised).mockRejectedValue(new TypeError("away"));
  const told: unknown[] = [];
  const stops = [follow(new QueryClient()), follow(new QueryClient())];
  const plain = Channel.open[1]!.onmessage!;
  Channel.open[1]!.onmessage = (event) => {
    told.push(event.data);
    plain(event);
  };
  await vi.advanceTimersByTimeAsync(6000);
  expect(told).toEqual([{ isReconnecting: true }]);
  stops.forEach((stop) => stop());
});

it("does not come back with everybody at one moment", () => {
  const waits = Array.from({ length: 200 }, () => spread(1000));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
  expect(Math.max(...waits)).toBeLessThanOrEqual(1500);
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(500);
});
