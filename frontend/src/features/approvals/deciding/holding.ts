/** Decisions on their way: each waits a while in which it can be taken back, then leaves. Pure but for the clock. */
import { shallowReactive } from "vue";

export const DELAY = 8000; // for a second thought

export interface Held<T> {
  /** The step that is decided. */
  id: number;
  what: T;
  /** When it leaves, in milliseconds; while `isPaused` it stays. */
  due: number;
  /** `sent`: done, but not yet known to every part of the screen. */
  state: "held" | "sending" | "sent" | "failed";
  error?: unknown;
}

export interface Hold<T> {
  entries: Map<number, Held<T>>;
  hold(id: number, what: T): boolean;
  undo(id: number): T | null;
  dismiss(id: number): void;
  sendNow(id: number): Promise<void>;
  pause(): void;
  resume(): void;
  flush(isLeaving: boolean): Promise<void>;
}

/**
 * `send` does it (`isLeaving`: the page goes, the answer may not be heard); `settle` waits until the screen knows.
 * One decision for a step at a time: what was pressed twice is held once.
 */
export function makeHold<T>(
  send: (id: number, what: T, isLeaving: boolean) => Promise<unknown>,
  settle: (entry: Held<T>) => Promise<unknown>,
  delay = DELAY,
): Hold<T> {
  const entries = shallowReactive(new Map<number, Held<T>>());
  const timers = new Map<number, ReturnType<typeof setTimeout>>();
  let pausedAt: number | null = null;

  function wait(entry: Held<T>): void {
    clearTimeout(timers.get(entry.id));
    if (pausedAt !== null) return;
    timers.set(
      entry.id,
      setTimeout(() => void deliver(entry.id, false), Math.max(0, entry.due - Date.now())),
    );
  }
  function stop(id: number): void {
    clearTimeout(timers.get(id));
    timers.delete(id);
  }

  async function deliver(id: number, isLeaving: boolean): Promise<void> {
    stop(id);
    const entry = entries.get(id);
    if (entry?.state !== "held") return;
    const { what, due } = entry;
    entries.set(id, { id, what, due, state: "sending" });
    try {
      await send(id, what, isLeaving);
    } catch (error) {
      entries.set(id, { id, what, due, state: "failed", error });
      await settle(entries.get(id) as Held<T>);
      return;
    }
    const sent: Held<T> = { id, what, due, state: "sent" };
    entries.set(id, sent);
    try {
      await settle(sent);
    } finally {
      if (entries.get(id) === sent) entries.delete(id);
    }
  }

  return {
    entries,
    hold(id, what) {
      const before = entries.get(id);
      if (before && before.state !== "failed") return false;
      const entry: Held<T> = { id, what, due: (pausedAt ?? Date.now()) + delay, state: "held" };
      entries.delete(id); // the newest stands last
      entries.set(id, entry);
      wait(entry);
      return true;
    },
    undo(id) {
      const entry = entries.get(id);
      if (entry?.state !== "held") return null;
      stop(id);
      entries.delete(id);
      return entry.what;
    },
    dismiss(id) {
      if (entries.get(id)?.state === "failed") entries.delete(id);
    },
    sendNow: (id) => deliver(id, false),
    pause() {
      if (pausedAt !== null) return;
      pausedAt = Date.now();
      for (const id of [...timers.keys()]) stop(id);
    },
    resume() {
      if (pausedAt === null) return;
      const passed = Date.now() - pausedAt;
      pausedAt = null;
      for (const entry of [...entries.values()]) {
        if (entry.state !== "held") continue;
        const later = { ...entry, due: entry.due + passed };
        entries.set(entry.id, later);
        wait(later);
      }
    },
    async flush(isLeaving) {
      const waiting = [...entries.values()].filter((entry) => entry.state === "held");
      await Promise.all(waiting.map((entry) => deliver(entry.id, isLeaving)));
    },
  };
}
