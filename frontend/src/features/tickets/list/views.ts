import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import type { LocationQueryRaw } from "vue-router";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import type { ViewRead } from "@/api/generated";
import { filtersOfSaved, queryOf } from "../model";

export const VIEWS = ["saved-views"] as const;
const MOST = 10; // counted at once
export type AlertWay = NonNullable<api.Alert["how"]>;

/** One's own views and those shared with one, by name. */
export function useViews() {
  return useQuery({
    queryKey: [...VIEWS, "list"],
    queryFn: async ({ signal }) => {
      const items: ViewRead[] = [];
      let cursor: string | undefined;
      do {
        const page = await data(api.savedViews({ query: { limit: 100, cursor }, signal }));
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return items;
    },
    staleTime: 60_000,
  });
}

/** How many tickets each of these views has now; refreshed by live events. */
export function useViewCounts(ids: Ref<number[]>) {
  const wanted = computed(() => [...ids.value].sort((a, b) => a - b).slice(0, MOST));
  return useQuery({
    queryKey: [...VIEWS, "counts", wanted],
    queryFn: async ({ signal }) => {
      const { items } = await data(api.viewCounts({ query: { ids: wanted.value }, signal }));
      return new Map(items.map((i) => [i.id, i]));
    },
    enabled: computed(() => wanted.value.length > 0),
    staleTime: 10_000,
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  });
}

/** The address that shows a view as it was saved. */
export function addressOf(view: ViewRead): LocationQueryRaw {
  return {
    view: String(view.id),
    ...queryOf(filtersOfSaved(view)),
    ...(view.columns.length ? { columns: view.columns.join(",") } : {}),
    ...(view.group ? { group: view.group } : {}),
  };
}

export function useViewChanges() {
  const queries = useQueryClient();
  const onSettled = () => queries.invalidateQueries({ queryKey: VIEWS });
  return {
    create: useMutation({
      mutationFn: (body: api.ViewCreate) =>
        data(api.createView({ body, headers: { "Idempotency-Key": idempotencyKey() } })),
      onSettled,
    }),
    update: useMutation({
      mutationFn: ({ id, body }: { id: number; body: api.ViewUpdate }) =>
        data(api.updateView({ path: { view_id: id }, body })),
      onSettled,
    }),
    remove: useMutation({
      mutationFn: (id: number) => data(api.deleteView({ path: { view_id: id } })),
      onSettled,
    }),
    alert: useMutation({
      mutationFn: ({ id, how }: { id: number; how: AlertWay | null }) =>
        data(api.alertView({ path: { view_id: id }, body: { how } })),
      onSettled,
    }),
    pin: useMutation({
      mutationFn: ({ id, pinned }: { id: number; pinned: boolean }) =>
        data(api.pinView({ path: { view_id: id }, body: { pinned } })),
      onSettled,
    }),
  };
}
