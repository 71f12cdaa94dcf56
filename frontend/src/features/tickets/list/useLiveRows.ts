import { useQueryClient, type InfiniteData } from "@tanstack/vue-query";
import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { TicketListItem, TicketPage } from "@/api/generated";
import { onTicketChange } from "../live";
import { requestOf, type Filters } from "../model";
import { newOnes } from "./rows";

const PATIENCE = 500; // many events in a moment are one look
const MOST = 100;
/** What changed while no list was open, so that one that is opened again can mend its rows. */
const missed = new Set<number>();
onTicketChange((id) => {
  if (missed.size < 1000) missed.add(id);
});

/**
 * Keeps the rows of a list true without moving them: rows that changed are put in their own place, rows that no longer
 * belong are marked, new ones are counted until somebody asks for them.
 */
export function useLiveRows(filters: Ref<Filters>, items: Ref<TicketListItem[]>) {
  const queries = useQueryClient();
  const fresh = shallowRef<number[]>([]);
  const gone = ref<ReadonlySet<number>>(new Set());
  const changed = new Set<number>();
  let timer: number | undefined;
  let isAsking = false;

  function patch(rows: Map<number, TicketListItem>): void {
    queries.setQueryData<InfiniteData<TicketPage>>(["tickets", "list", filters.value], (before) =>
      before
        ? {
            ...before,
            pages: before.pages.map((page) =>
              page.items.some((i) => rows.has(i.id))
                ? { ...page, items: page.items.map((i) => rows.get(i.id) ?? i) }
                : page,
            ),
          }
        : before,
    );
  }

  async function look(): Promise<void> {
    if (isAsking) return later();
    isAsking = true;
    const asked = filters.value;
    try {
      const loaded = new Map(items.value.map((i) => [i.id, i]));
      const mine = [...changed].filter((id) => loaded.has(id)).slice(0, MOST);
      const rest = [...changed].filter((id) => loaded.has(id) && !mine.includes(id));
      changed.clear();
      for (const id of rest) changed.add(id);
      const numbers = mine.map((id) => loaded.get(id)?.ticket_number ?? "");
      const these = { field: "ticket_number", op: "in", value: numbers };
      const [top, belonging, now] = await Promise.all([
        data(api.tickets({ query: { ...requestOf(asked), limit: 50 } })),
        mine.length ? data(api.tickets({ query: { ...requestOf(asked, [these]), limit: MOST } })) : null,
        mine.length ? data(api.tickets({ query: { condition: JSON.stringify(these), limit: MOST } })) : null,
      ]);
      if (asked !== filters.value) return;
      if (now && belonging) {
        patch(new Map(now.items.map((i) => [i.id, i])));
        const stays = new Set(belonging.items.map((i) => i.id));
        const next = new Set(gone.value);
        for (const id of mine)
          if (stays.has(id)) next.delete(id);
          else next.add(id);
        gone.value = next;
      }
      fresh.value = newOnes(
        items.value.map((i) => i.id),
        top.items.map((i) => i.id),
      );
    } catch {
      // The next event, or the next look at the list, tells what this one could not.
    } finally {
      isAsking = false;
      if (changed.size) later();
    }
  }
  function later(): void {
    if (timer !== undefined) return;
    timer = window.setTimeout(() => {
      timer = undefined;
      void look();
    }, PATIENCE);
  }
  const stop = onTicketChange((id) => {
    changed.add(id);
    later();
  });
  onScopeDispose(() => {
    stop();
    clearTimeout(timer);
  });
  /** Rows from before this list was left may have changed meanwhile. */
  function mend(): void {
    for (const id of missed) changed.add(id);
    missed.clear();
    later();
  }
  watch(filters, () => forget());
  function forget(): void {
    fresh.value = [];
    gone.value = new Set();
  }
  /** Reads the list anew from its beginning; the rows behind its first page come again as one gets to them. */
  async function renew(): Promise<void> {
    const queryKey = ["tickets", "list", filters.value];
    queries.setQueryData<InfiniteData<TicketPage>>(queryKey, (before) =>
      before ? { pages: before.pages.slice(0, 1), pageParams: before.pageParams.slice(0, 1) } : before,
    );
    forget();
    changed.clear();
    await queries.refetchQueries({ queryKey, exact: true });
  }
  return { fresh, gone, mend, renew };
}
