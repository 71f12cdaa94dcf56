/**
 * Keeps what somebody writes: on this device at once, on the server within two seconds. Nothing is overwritten in
 * silence: when another device changed the same draft, both versions are held until the person chooses.
 */
import { reactive } from "vue";
import { asProblem } from "@/api/problem";
import { contentOf, textOf, type Content } from "./content";

export interface Kept {
  ticket_type: string;
  content: unknown;
  version: number;
  updated_at: string;
}
/** What lies on this device: only what the server does not have yet. `base` is the version it was written over. */
export interface Local {
  ticket_type: string;
  content: unknown;
  base: number;
  at: string;
}
export interface Server {
  read(id: string): Promise<Kept>;
  create(id: string, ticketType: string, content: Content): Promise<Kept>;
  change(id: string, version: number, content: Content): Promise<Kept>;
}
export interface Shelf {
  get(id: string): Local | null;
  put(id: string, local: Local): boolean;
  remove(id: string): void;
}
export interface Timers {
  now(): number;
  later(run: () => void, ms: number): () => void;
}

export const QUIET = 800; // after the last key
export const LATEST = 1800; // after the first one that is not kept yet
const AGAIN = [4000, 8000, 15_000, 30_000, 60_000];

/**
 * `new`: nothing is written yet. `held`: on this device only, and tried again. `refused`: on this device only, because
 * the server does not take it. `lost`: not even this device keeps it. `conflict`: another version is there. `gone`: it
 * was discarded or sent elsewhere. `ended`: it became a ticket.
 */
export type State = "new" | "saving" | "saved" | "held" | "refused" | "lost" | "conflict" | "gone" | "ended";

export function draftKeeper(id: string, ticketType: string, server: Server, shelf: Shelf, timers: Timers) {
  const state = reactive({
    is: "new" as State,
    savedAt: null as string | null,
    theirs: null as { content: Content; version: number; at: string } | null,
    error: null as unknown,
  });
  let content: Content | null = null;
  let version = 0;
  let known = ""; // what the server has
  let tried = ""; // what it may have besides, because its answer got lost
  let firstAt = 0;
  let failures = 0;
  let stop: (() => void) | null = null;
  let running: Promise<void> | null = null;

  const isHeld = () => state.is === "conflict" || state.is === "gone" || state.is === "ended";
  const isDirty = () => content !== null && textOf(content) !== known;

  function put(): boolean {
    if (!content) return true;
    const at = new Date(timers.now()).toISOString();
    return shelf.put(id, { ticket_type: ticketType, content, base: version, at });
  }

  function plan(ms: number): void {
    stop?.();
    stop = timers.later(() => void push(), ms);
  }

  /** It says this now. */
  function change(now: Content): void {
    if (state.is === "ended") return;
    content = structuredCloneOf(now);
    const isKept = put();
    if (isHeld()) return;
    if (version && !isDirty()) {
      if (state.is === "saved" || state.is === "saving") {
        state.is = "saved"; // as it was before
        shelf.remove(id);
      }
      return;
    }
    if (!firstAt) firstAt = timers.now();
    if (!isKept) state.is = "lost";
    else if (state.is === "new" || state.is === "saved") state.is = "saving";
    plan(Math.max(0, Math.min(QUIET, firstAt + LATEST - timers.now())));
  }

  function accept(kept: Kept): void {
    version = kept.version;
    known = textOf(contentOf(kept.content));
    state.savedAt = kept.updated_at;
    state.error = null;
    failures = 0;
    tried = "";
    if (isDirty()) {
      state.is = put() ? "saving" : "lost";
      plan(QUIET);
    } else {
      state.is = "saved";
      shelf.remove(id);
      firstAt = 0;
    }
  }

  /** Another version is there: when it says the same, or what we sent before, it is ours. */
  async function meet(): Promise<void> {
    const kept = await server.read(id);
    const theirs = contentOf(kept.content);
    const text = textOf(theirs);
    if ((content && text === textOf(content)) || text === tried) return accept(kept);
    state.theirs = { content: theirs, version: kept.version, at: kept.updated_at };
    state.is = "conflict";
  }

  async function attempt(): Promise<void> {
    if (!content || isHeld() || (version && !isDirty())) return;
    const sent = content;
    const before = tried;
    firstAt = 0;
    try {
      tried = textOf(sent);
      const kept = version
        ? await server.change(id, version, sent)
        : await server.create(id, ticketType, sent);
      accept(kept);
    } catch (error) {
      const { status, code } = asProblem(error);
      if (status === 412 || code === "draft_exists") {
        tried = before || tried;
        await meet();
      } else throw error;
    }
  }

  function failed(error: unknown): void {
    const { status } = asProblem(error);
    state.error = error;
    if (status === 404 && version) {
      state.is = "gone";
      return;
    }
    const isKept = put();
    if (status >= 400 && status < 500 && status !== 401 && status !== 429) {
      state.is = isKept ? "refused" : "lost";
      return;
    }
    state.is = isKept ? "held" : "lost";
    plan(AGAIN[Math.min(failures, AGAIN.length - 1)]!);
    failures += 1;
  }

  /** To the server, now. Resolves when nothing is on its way any more. */
  async function push(): Promise<void> {
    stop?.();
    stop = null;
    if (running) {
      await running;
      if (isDirty() && !isHeld() && !stop) plan(QUIET);
      return;
    }
    running = attempt()
      .catch((error: unknown) => {
        if (state.is !== "ended") failed(error);
      })
      .finally(() => (running = null));
    await running;
  }

  /** What was kept of it, from the server and this device; null when there is nothing. Raises what the server says. */
  async function open(): Promise<Content | null> {
    const local = shelf.get(id);
    let kept: Kept | null = null;
    try {
      kept = await server.read(id);
    } catch (error) {
      const { status } = asProblem(error);
      if (status !== 404) {
        if (!local) throw error;
        content = contentOf(local.content);
        version = local.base;
        failed(error);
        return content;
      }
    }
    if (!local) {
      if (!kept) return null;
      content = contentOf(kept.content);
      accept(kept);
      return content;
    }
    content = contentOf(local.content);
    version = local.base;
    if (!kept) {
      if (local.base) state.is = "gone";
      else plan(0);
    } else if (kept.version === local.base || textOf(contentOf(kept.content)) === textOf(content))
      accept(kept);
    else {
      state.theirs = { content: contentOf(kept.content), version: kept.version, at: kept.updated_at };
      state.is = "conflict";
    }
    return content;
  }

  /** Of two versions, keep one. Returns what the form shows now. */
  function choose(whose: "mine" | "theirs"): Content | null {
    if (state.is === "gone") {
      version = 0;
      known = "";
    } else if (state.is === "conflict" && state.theirs) {
      version = state.theirs.version;
      known = textOf(state.theirs.content);
      if (whose === "theirs") content = structuredCloneOf(state.theirs.content);
    } else return content;
    state.savedAt = state.theirs?.at ?? state.savedAt;
    state.theirs = null;
    state.is = "saved";
    if (isDirty()) {
      put();
      state.is = "saving";
      plan(0);
    } else shelf.remove(id);
    return content;
  }

  /** It became a ticket: nothing of it is kept any more. */
  function end(): void {
    stop?.();
    stop = null;
    state.is = "ended";
    shelf.remove(id);
  }

  /** The page is left: what is not there yet is sent once more, and lies on this device until it is. */
  function leave(): void {
    const isWaiting = stop !== null;
    stop?.();
    stop = null;
    if (isWaiting && !isHeld() && isDirty()) void push().finally(() => (stop?.(), (stop = null)));
  }

  /** The connection or the session is back. */
  function retry(): void {
    if (state.is === "held" || state.is === "refused" || state.is === "lost") {
      failures = 0;
      plan(0);
    }
  }

  return { state, open, change, push, choose, end, leave, retry, isDirty };
}
export type DraftKeeper = ReturnType<typeof draftKeeper>;

/** A copy no later change reaches; what is reactive is read as it is. */
function structuredCloneOf(content: Content): Content {
  return JSON.parse(JSON.stringify(content)) as Content;
}
