import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { useEventListener } from "@vueuse/core";
import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";
import { useSession } from "@/stores/session";
import { blank, type Content } from "./content";
import { draftKeeper, type Server } from "./keeper";
import { shelfOf } from "./shelf";

export const draftsKey = ["request-drafts"] as const;

const server: Server = {
  read: (id) => data(api.requestDraft({ path: { draft_id: id } })),
  create: (id, ticket_type, content) =>
    data(api.createRequestDraft({ body: { id, ticket_type, content: { ...content } } })),
  change: (id, version, content) =>
    data(api.updateRequestDraft({ path: { draft_id: id }, body: { version, content: { ...content } } })),
};
const timers = {
  now: () => Date.now(),
  later(run: () => void, ms: number) {
    const timer = window.setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * The draft a form is kept as. A new one starts with `start` and is kept from the first change on (`onBegun`); one that
 * exists is opened first.
 */
export function useDraft(id: string, ticketType: string, start: Content | null, onBegun: () => void) {
  const session = useSession();
  const queries = useQueryClient();
  const shelf = shelfOf(session.user?.id ?? 0);
  const keeper = draftKeeper(id, ticketType, server, shelf, timers);
  const content = ref<Content>(start ?? blank());
  const isLoading = ref(start === null);
  const loadError = shallowRef<unknown>(null);
  const isMissing = ref(false);
  let isBegun = start === null;

  /** From now on it is kept, though nothing may be typed yet. */
  function begin(): void {
    keeper.change(content.value);
    if (isBegun) return;
    isBegun = true;
    onBegun();
  }

  async function open(): Promise<void> {
    isLoading.value = true;
    loadError.value = null;
    try {
      const found = await keeper.open();
      isMissing.value = found === null;
      if (found) content.value = found;
    } catch (error) {
      loadError.value = error;
    } finally {
      isLoading.value = false;
    }
  }
  if (start === null) void open();

  watch(content, () => !isLoading.value && loadError.value === null && begin(), { deep: true });
  /** To the server now, when there is something it does not have. */
  const keep = () => void (isBegun && keeper.state.is === "saving" && keeper.push());
  function choose(whose: "mine" | "theirs"): void {
    const chosen = keeper.choose(whose);
    if (chosen && whose === "theirs") content.value = JSON.parse(JSON.stringify(chosen)) as Content;
  }
  useEventListener(window, "online", keeper.retry);
  // whoever turns to something else may not come back to this page
  useEventListener(document, "visibilitychange", () => document.visibilityState === "hidden" && keep());
  watch(
    () => session.hasEnded,
    (ended) => !ended && keeper.retry(),
  );
  watch(
    () => keeper.state.is,
    () => void queries.invalidateQueries({ queryKey: draftsKey, refetchType: "none" }),
  );
  onScopeDispose(() => keeper.leave());
  return { content, isLoading, loadError, isMissing, keeper, open, begin, keep, choose };
}

export interface DraftLine {
  id: string;
  ticketType: string;
  typeName: string;
  title: string;
  at: string;
  /** Whether the server does not have it, or not all of it. */
  isHere: boolean;
}

/** One's drafts, those of this device among them, the latest first. */
export function useDrafts() {
  const session = useSession();
  const query = useQuery({
    queryKey: [...draftsKey],
    queryFn: ({ signal }) => data(api.requestDrafts({ query: { limit: 50 }, signal })),
  });
  const lines = computed<DraftLine[]>(() => {
    const found = new Map<string, DraftLine>();
    for (const d of query.data.value?.items ?? [])
      found.set(d.id, {
        id: d.id,
        ticketType: d.ticket_type,
        typeName: d.ticket_type_name,
        title: d.title,
        at: d.updated_at,
        isHere: false,
      });
    for (const [id, local] of query.data.value ? shelfOf(session.user?.id ?? 0).all() : []) {
      const kept = found.get(id);
      const title = (local.content as Partial<Content> | null)?.title;
      found.set(id, {
        id,
        ticketType: local.ticket_type,
        typeName: kept?.typeName ?? local.ticket_type,
        title: typeof title === "string" ? title : "",
        at: local.at,
        isHere: true,
      });
    }
    return [...found.values()].sort((a, b) => b.at.localeCompare(a.at));
  });
  return { ...query, lines };
}

function gone(error: unknown): null {
  if (asProblem(error).status === 404) return null;
  throw error;
}

/** Discards a draft; what it answers brings it back. */
export function useDiscard() {
  const session = useSession();
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: draftsKey });
  return useMutation({
    mutationFn: async (line: DraftLine): Promise<() => Promise<void>> => {
      const shelf = shelfOf(session.user?.id ?? 0);
      const local = shelf.get(line.id);
      const kept = local?.base === 0 ? null : await server.read(line.id).catch(gone);
      await data(api.deleteRequestDraft({ path: { draft_id: line.id } }));
      shelf.remove(line.id);
      return async () => {
        if (kept) await server.create(line.id, kept.ticket_type, kept.content as Content);
        if (local) shelf.put(line.id, { ...local, base: kept ? 1 : 0 });
        await again();
      };
    },
    onSettled: again,
  });
}
