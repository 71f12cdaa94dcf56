/** Open screens follow the server: one stream for all tabs, resumed where it broke, patching each tab's query cache. */
import type { QueryClient } from "@tanstack/vue-query";
import { authorised } from "@/api/client";
import { useConnection } from "@/stores/connection";
import { useSession } from "@/stores/session";
import { share } from "./sharing";

export interface LiveEvent {
  id: string;
  name: string;
  data: Record<string, unknown>;
}
export type LiveHandler = (event: LiveEvent, queries: QueryClient) => void;
/** What the tab that has the line tells the others: an event and the one before it, or how the line is. */
type Told = { event: LiveEvent; before: string } | { isReconnecting: boolean };

const handlers = Object.values(
  import.meta.glob<LiveHandler>("../features/*/live.ts", { eager: true, import: "onLive" }),
);
const QUIET = 40_000; // the server says something every 15 s; longer silence is a broken line
const PATIENCE = 5000; // breaks shorter than this are nobody's business
const SOONEST = 1000;
const LATEST = 15_000;
const SHARED = 200; // whoever waits longer for the lead is not the only tab
const HIDDEN = 60_000; // a tab nobody looks at for so long lets go of its line: a browser has six of them for all tabs

function isHidden(): boolean {
  return document.visibilityState === "hidden";
}

/** Resolves when the tab is looked at. */
function seen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (isHidden() && !signal.aborted) return;
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

/** A wait with half of it by chance, so that not all browsers come back at one moment. */
export function spread(wait: number): number {
  return wait * (0.5 + Math.random());
}

/** Follow until `stop`; reconnects with growing waits. */
export function follow(queries: QueryClient): () => void {
  const connection = useConnection();
  const life = new AbortController();
  let last = "";
  let isAgain = false;
  let wait = SOONEST;

  function take(event: LiveEvent): void {
    last = event.id || last;
    for (const handle of handlers) handle(event, queries);
  }

  const tabs = share<Told>(`waypost.live.${useSession().user?.id ?? ""}`, (told) => {
    if ("isReconnecting" in told) {
      connection.isReconnecting = told.isReconnecting;
      return;
    }
    isAgain = true;
    if (told.event.id && told.event.id === last) return;
    if (last && told.before !== last) void queries.invalidateQueries(); // something was said while this tab slept
    take(told.event);
  });

  function setReconnecting(is: boolean): void {
    connection.isReconnecting = is;
    tabs.tell({ isReconnecting: is });
  }

  async function listen(onOpen: () => void): Promise<void> {
    const line = new AbortController();
    const end = () => line.abort();
    let hidden: number | undefined;
    const look = () => {
      clearTimeout(hidden);
      if (isHidden()) hidden = window.setTimeout(end, HIDDEN);
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
      setReconnecting(false);
      wait = SOONEST;
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
          tabs.tell({ event, before: last });
          take(event);
        }
      }
    } finally {
      clearTimeout(quiet);
      clearTimeout(hidden);
      document.removeEventListener("visibilitychange", look);
      life.signal.removeEventListener("abort", end);
    }
  }

  /** Keep a line open, for all tabs, until nobody has looked at this one for a while. */
  async function lead(): Promise<void> {
    let broken: number | undefined;
    while (!life.signal.aborted && document.visibilityState !== "hidden") {
      await listen(() => {
        clearTimeout(broken);
        broken = undefined;
      }).catch(() => undefined);
      if (life.signal.aborted || isHidden()) break;
      broken ??= window.setTimeout(() => setReconnecting(true), PATIENCE);
      await new Promise((resume) => setTimeout(resume, spread(wait)));
      wait = Math.min(wait * 2, LATEST);
    }
    clearTimeout(broken);
  }

  void (async () => {
    while (!life.signal.aborted) {
      await seen(life.signal); // what was missed meanwhile is replayed behind the last event's id
      const asked = Date.now();
      const led = tabs.lead(() => {
        isAgain ||= Date.now() - asked > SHARED; // another tab led until now: something may have come in between
        return lead();
      }, life.signal);
      await led.catch(() => new Promise((resume) => setTimeout(resume, SOONEST)));
    }
    tabs.close();
  })();
  return () => life.abort();
}
