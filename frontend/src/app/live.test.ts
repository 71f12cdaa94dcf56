import { QueryClient } from "@tanstack/vue-query";
import { createPinia, setActivePinia } from "pinia";
import { expect, it, vi } from "vitest";
import { authorised } from "@/api/client";
import { follow, parse } from "./live";

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
