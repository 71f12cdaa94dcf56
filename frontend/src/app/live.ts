/** Open screens follow the server: one stream, resumed where it broke, patching the query cache. */
import type { QueryClient } from "@tanstack/vue-query";
import { authorised } from "@/api/client";
import { useConnection } from "@/stores/connection";

export interface LiveEvent {
  id: string;
  name: string;
  data: Record<string, unknown>;
}
export type LiveHandler = (event: LiveEvent, queries: QueryClient) => void;

const handlers = Object.values(
  import.meta.glob<LiveHandler>("../features/*/live.ts", { eager: true, import: "onLive" }),
);
const QUIET = 40_000; // the server says something every 15 s; longer silence is a broken line
const PATIENCE = 5000; // breaks shorter than this are nobody's business
const HIDDEN = 60_000; // a tab nobody looks at for so long lets go of its line: a browser has six of them for all tabs

/** Resolves when the tab is looked at. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (document.visibilityState === "hidden" && !signal.aborted) return;
      document.removeEventListener("visibilitychange", look);
      resolve();
    };
    document.addEventListener("visibilitychange", look);
    signal.addEventListener("abort", look);
    look();
  });
}

/** Parse what has arrived; returns whole events and the rest that is not whole yet. */
export function parse(text: string): [LiveEvent[], string] {
  const blocks = text.split(/\r?\n\r?\n/);
  const rest = blocks.pop() ?? "";
  const events: LiveEvent[] = [];
  for (const block of blocks) {
    const fields: Record<string, string> = {};
    for (const line of block.split(/\r?\n/)) {
      const at = line.indexOf(":");
      if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).replace(/^ /, "");
    }
    if (fields.data)
      events.push({ id: fields.id ?? "", name: fields.event ?? "message", data: JSON.parse(fields.data) });
  }
  return [events, rest];
}

/** Follow until `stop`; reconnects with growing waits. */
export function follow(queries: QueryClient): () => void {
  const connection = useConnection();
  const life = new AbortController();
  let last = "";
  let isAgain = false;
  let wait = 500;

  async function listen(onOpen: () => void): Promise<void> {
    const line = new AbortController();
    const end = () => line.abort();
    let hidden: number | undefined;
    const look = () => {
      clearTimeout(hidden);
      if (document.visibilityState === "hidden") hidden = window.setTimeout(end, HIDDEN);
    };
    document.addEventListener("visibilitychange", look);
    look();
    life.signal.addEventListener("abort", end);
    let quiet = window.setTimeout(end, QUIET);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (last) headers["Last-Event-ID"] = last;
      const answer = await authorised("/api/v1/events/stream", { headers, signal: line.signal });
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      onOpen();
      if (isAgain) void queries.invalidateQueries(); // before the first event there is no place to replay from
      isAgain = true;
      connection.isReconnecting = false;
      wait = 500;
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(quiet);
        quiet = window.setTimeout(end, QUIET);
        const [events, rest] = parse(text + value);
        text = rest;
        for (const event of events) {
          last = event.id || last;
          for (const handle of handlers) handle(event, queries);
        }
      }
    } finally {
      clearTimeout(quiet);
      clearTimeout(hidden);
      document.removeEventListener("visibilitychange", look);
      life.signal.removeEventListener("abort", end);
    }
  }

  void (async () => {
    let broken: number | undefined;
    while (!life.signal.aborted) {
      await listen(() => {
        clearTimeout(broken);
        broken = undefined;
      }).catch(() => undefined);
      if (life.signal.aborted) break;
      if (document.visibilityState === "hidden") {
        await seen(life.signal); // what was missed meanwhile is replayed behind the last event's id
        continue;
      }
      broken ??= window.setTimeout(() => (connection.isReconnecting = true), PATIENCE);
      await new Promise((resume) => setTimeout(resume, wait));
      wait = Math.min(wait * 2, 15_000);
    }
    clearTimeout(broken);
  })();
  return () => life.abort();
}
