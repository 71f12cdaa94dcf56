import { useQuery, useQueryClient } from "@tanstack/vue-query";
import { useEventListener, useStorage } from "@vueuse/core";
import { computed, onScopeDispose, ref, watch, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";
import { useSession } from "@/stores/session";
import { meet, type LocalDraft, type ServerDraft } from "./drafting";
import type { Visibility } from "./queries";

const SOON = 800; // after the last stroke, so that what is written is kept within two seconds
const AGAIN = 10_000;

/**
 * What one is writing about a ticket, one text for each audience: here at once, on the server a moment later. What was
 * written without a connection goes up when there is one again.
 */
export function useDrafts(ticketId: Ref<number>, visibility: Ref<Visibility>) {
  const session = useSession();
  const queries = useQueryClient();
  const kept = useStorage<Record<string, LocalDraft>>(
    `waypost.drafts.${session.user?.id ?? 0}`,
    {},
    localStorage,
  );
  const slot = (audience: Visibility = visibility.value) => `${ticketId.value}.${audience}`;
  const savedAt = ref<string | null>(null);
  const other = ref<Partial<Record<Visibility, ServerDraft>>>({});
  const timers = new Map<string, number>();
  const pushing = new Set<string>();
  const pushedAt = new Map<string, number>();

  function put(key: string, draft: LocalDraft | null): void {
    const rest = Object.fromEntries(Object.entries(kept.value).filter(([name]) => name !== key));
    kept.value = draft ? { ...rest, [key]: draft } : rest;
  }

  const { data: page } = useQuery({
    queryKey: ["tickets", ticketId, "comment-drafts"],
    queryFn: async ({ signal }) => {
      const asked = Date.now();
      const { items } = await data(api.commentDrafts({ path: { ticket_id: ticketId.value }, signal }));
      return { items, asked };
    },
    staleTime: 0,
    gcTime: 0,
  });
  watch(
    page,
    (found) => {
      if (!found) return;
      for (const audience of ["PUBLIC", "INTERNAL"] as const) {
        const key = slot(audience);
        // An answer from before something was kept knows less than this device.
        if (pushing.has(key) || (pushedAt.get(key) ?? 0) >= found.asked) continue;
        const outcome = meet(
          kept.value[key],
          found.items.find((d) => d.visibility === audience),
        );
        other.value = { ...other.value, [audience]: outcome.take === "ask" ? outcome.draft : undefined };
        if (outcome.take === "server")
          put(key, { body: outcome.draft.body, base: outcome.draft.updated_at, dirty: false });
        else if (outcome.take === "nothing") put(key, null);
        else if (outcome.take === "local" && kept.value[key]?.dirty) later(key, 0);
      }
    },
    { immediate: true },
  );

  function later(key: string, after = SOON): void {
    clearTimeout(timers.get(key));
    timers.set(
      key,
      window.setTimeout(() => void push(key), after),
    );
  }

  async function push(key: string): Promise<void> {
    timers.delete(key);
    const draft = kept.value[key];
    const [ticket, audience] = key.split(".") as [string, Visibility];
    if (!draft?.dirty || (Number(ticket) === ticketId.value && other.value[audience])) return;
    const path = { ticket_id: Number(ticket), visibility: audience };
    pushing.add(key);
    try {
      const answer = draft.body.trim()
        ? await data(api.keepCommentDraft({ path, body: { body: draft.body } }))
        : await data(api.dropCommentDraft({ path })).then(() => null);
      pushedAt.set(key, Date.now());
      const now = kept.value[key];
      if (!now) return;
      const isSame = now.body === draft.body;
      if (isSame && !answer) put(key, null);
      else put(key, { ...now, base: answer ? answer.updated_at : null, dirty: !isSame });
      if (answer && isSame && key === slot()) savedAt.value = answer.updated_at;
      // What was read before is old now: coming back to the ticket must not bring it back.
      queries.removeQueries({ queryKey: ["tickets", Number(ticket), "comment-drafts"], type: "inactive" });
    } catch (error) {
      const { status } = asProblem(error);
      if (status === 0 || status === 401 || status >= 500) later(key, AGAIN); // it is safe on this device meanwhile
    } finally {
      pushing.delete(key);
    }
  }

  const body = computed({
    get: () => kept.value[slot()]?.body ?? "",
    set: (text) => write(text),
  });
  function write(text: string, audience: Visibility = visibility.value): void {
    const key = slot(audience);
    const before = kept.value[key];
    if ((before?.body ?? "") === text) return;
    put(key, { body: text, base: before?.base ?? null, dirty: true });
    savedAt.value = null;
    later(key);
  }

  /** What to do with a text from another device: go on with `mine`, `theirs`, or both below each other. */
  function settle(choice: "mine" | "theirs" | "both"): void {
    const draft = other.value[visibility.value];
    if (!draft) return;
    const mine = body.value;
    other.value = { ...other.value, [visibility.value]: undefined };
    const text = { mine, theirs: draft.body, both: `${mine.trimEnd()}\n\n${draft.body}` }[choice];
    put(slot(), { body: text, base: draft.updated_at, dirty: choice !== "theirs" });
    later(slot(), 0);
  }

  const flush = () => {
    for (const key of [...timers.keys()]) {
      clearTimeout(timers.get(key));
      void push(key);
    }
  };
  useEventListener(window, "online", flush);
  useEventListener(document, "visibilitychange", () => document.visibilityState === "hidden" && flush());
  onScopeDispose(flush);
  const textOf = (audience: Visibility) => kept.value[slot(audience)]?.body ?? "";
  return { body, write, textOf, savedAt, other: computed(() => other.value[visibility.value]), settle };
}
