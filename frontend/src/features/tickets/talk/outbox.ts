import { useQueryClient } from "@tanstack/vue-query";
import { useEventListener, useStorage } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, ref, watch } from "vue";
import { authorised, data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem, type Problem } from "@/api/problem";
import { useSession } from "@/stores/session";
import { keys } from "../queries";
import type { Visibility } from "./queries";

export const DELAY = 5000; // for a second thought
const ORPHAN = 10_000; // so long after its time, whoever had it is gone
const KEY_LIFE = 23 * 3_600_000; // the server knows a key for a day

/** A comment on its way: nothing of it is lost whatever becomes of the page, and it is never sent twice. */
export interface Pending {
  id: string;
  ticketId: number;
  visibility: Visibility;
  body: string;
  /** The last comment its writer had before their eyes; null asks for no warning. */
  after: number | null;
  /** The version of the ticket they saw: a merge brings older comments. */
  version?: number;
  /** When it leaves, in milliseconds. */
  due: number;
  state: "waiting" | "sending" | "stopped";
  /** Why it was stopped, in the server's words. */
  reason: string;
  /** Whether only the connection was away: then it leaves by itself when there is one again. */
  isAway: boolean;
  /** The comments somebody else wrote meanwhile. */
  newer: number[];
}

/** Comments between the press of a button and the server; they outlive the part that shows them, and a reload. */
export const useOutbox = defineStore("outbox", () => {
  const queries = useQueryClient();
  const session = useSession();
  const owner = computed(() => session.user?.id ?? 0);
  const kept = useStorage<Record<string, Pending>>(() => `waypost.outbox.${owner.value}`, {}, localStorage);
  const timers = new Map<string, number>();
  /** What went wrong where nobody looks any more: whoever shows messages takes it. */
  const unseen = ref<Pending[]>([]);
  const watched = new Set<number>();

  const of = (ticketId: number) => Object.values(kept.value).filter((p) => p.ticketId === ticketId);
  function put(id: string, change: Partial<Pending> | null): void {
    const { [id]: before, ...rest } = kept.value;
    kept.value = change ? { ...rest, [id]: { ...(before as Pending), ...change } } : rest;
  }

  function wait(id: string, ms: number): void {
    clearTimeout(timers.get(id));
    timers.set(
      id,
      window.setTimeout(() => void deliver(id), ms),
    );
  }

  /** Take a comment; it leaves when the delay is over. */
  function add(entry: Pick<Pending, "ticketId" | "visibility" | "body" | "after" | "version">): void {
    const id = idempotencyKey();
    put(id, {
      ...entry,
      id,
      due: Date.now() + DELAY,
      state: "waiting",
      reason: "",
      isAway: false,
      newer: [],
    });
    wait(id, DELAY);
  }

  /** Take it back before it leaves, or when it was stopped; gives its words. */
  function undo(id: string): Pending | null {
    const entry = kept.value[id];
    if (!entry || entry.state === "sending") return null;
    clearTimeout(timers.get(id));
    timers.delete(id);
    put(id, null);
    return entry;
  }

  /** Send it now, over whatever was said meanwhile when it was stopped for that. */
  function sendNow(id: string): void {
    const entry = kept.value[id];
    if (!entry || entry.state === "sending") return;
    if (entry.newer.length) put(id, { after: null, newer: [] });
    void deliver(id);
  }

  const bodyOf = ({ body, visibility, after, version }: Pending): api.CommentCreate => ({
    body,
    visibility,
    ...(after === null ? {} : { after_comment_id: after }),
    ...(after === null || version === undefined ? {} : { after_version: version }),
  });

  async function deliver(id: string): Promise<void> {
    clearTimeout(timers.get(id));
    timers.delete(id);
    const entry = kept.value[id];
    if (!entry || entry.state === "sending") return;
    put(id, { state: "sending", reason: "" });
    try {
      await data(
        api.addComment({
          path: { ticket_id: entry.ticketId },
          body: bodyOf(entry),
          headers: { "Idempotency-Key": id },
        }),
      );
      await queries.invalidateQueries({ queryKey: keys.comments(entry.ticketId) });
      put(id, null);
      void queries.invalidateQueries({ queryKey: keys.history(entry.ticketId) });
    } catch (error) {
      stop(id, asProblem(error));
    }
  }

  function stop(id: string, problem: Problem): void {
    if (!kept.value[id]) return;
    const newer = problem.code === "newer_reply" ? (problem.facts.comment_ids as number[]) : [];
    put(id, { state: "stopped", reason: problem.message, isAway: problem.status === 0, newer });
    const entry = kept.value[id] as Pending;
    if (newer.length) void queries.invalidateQueries({ queryKey: keys.comments(entry.ticketId) });
    if (!watched.has(entry.ticketId)) unseen.value = [...unseen.value, entry];
  }

  // The page goes: what waits leaves at once. Its answer is not heard any more, so it is sent again at the next start,
  // under the same key, which makes it the same comment.
  useEventListener(window, "pagehide", () => {
    for (const [id, timer] of [...timers]) {
      clearTimeout(timer);
      timers.delete(id);
      const entry = kept.value[id];
      if (!entry) continue;
      put(id, { state: "sending" });
      void authorised(new URL(`/api/v1/tickets/${entry.ticketId}/comments`, location.origin), {
        method: "POST",
        keepalive: true,
        headers: { "Content-Type": "application/json", "Idempotency-Key": id },
        body: JSON.stringify(bodyOf(entry)),
      }).catch(() => undefined); // the next start looks after it
    }
  });
  useEventListener(window, "online", () => {
    for (const { id, state, isAway } of Object.values(kept.value))
      if (state === "stopped" && isAway) void deliver(id);
  });
  useEventListener(window, "pageshow", (event) => event.persisted && adopt());

  /** What a page that is gone left behind. */
  function adopt(): void {
    const now = Date.now();
    for (const entry of Object.values(kept.value)) {
      if (timers.has(entry.id) || entry.state === "stopped") continue;
      if (now - entry.due > KEY_LIFE) {
        put(entry.id, { state: "stopped" });
        continue;
      }
      // One that waits may belong to another tab, where it can still be taken back; one that left may leave again.
      const after = entry.state === "waiting" ? Math.max(0, entry.due + ORPHAN - now) : 0;
      put(entry.id, { state: "waiting" });
      wait(entry.id, after);
    }
  }
  watch(owner, (user) => user && adopt(), { immediate: true });

  /** Somebody looks at this ticket: what is stopped there is seen there. Gives how to end it. */
  function look(ticketId: number): () => void {
    watched.add(ticketId);
    unseen.value = unseen.value.filter((p) => p.ticketId !== ticketId);
    return () => watched.delete(ticketId);
  }

  return { kept, of, add, undo, sendNow, look, unseen };
});
