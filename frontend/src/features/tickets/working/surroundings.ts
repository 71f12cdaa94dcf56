import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { keys } from "../queries";

const key = (id: number) => [...keys.one(id), "surroundings"] as const;

/** Watchers, checklist and links: what stands beside a ticket. */
export function useSurroundings(id: Ref<number>) {
  return useQuery({
    queryKey: ["tickets", id, "surroundings"],
    queryFn: ({ signal }) => data(api.ticketSurroundings({ path: { ticket_id: id.value }, signal })),
  });
}

function useBeside<V>(
  id: Ref<number>,
  change: (values: V) => Promise<unknown>,
  show?: (old: api.Surroundings, values: V) => api.Surroundings,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onMutate: async (values) => {
      if (!show) return undefined;
      await queries.cancelQueries({ queryKey: key(id.value) });
      const before = queries.getQueryData<api.Surroundings>(key(id.value));
      if (before) queries.setQueryData(key(id.value), show(before, values));
      return before;
    },
    onError: (_error, _values, before) => {
      if (before) queries.setQueryData(key(id.value), before);
    },
    onSettled: async () => {
      await queries.invalidateQueries({ queryKey: keys.one(id.value) });
      void queries.invalidateQueries({ queryKey: keys.lists });
    },
  });
}

export const useWatch = (id: Ref<number>) =>
  useBeside(id, ({ user, on }: { user: number; on: boolean }) => {
    const path = { ticket_id: id.value, user_id: user };
    return on ? data(api.watchTicket({ path })) : data(api.unwatchTicket({ path }));
  });

export const useAddItem = (id: Ref<number>) =>
  useBeside(id, (text: string) =>
    data(
      api.addChecklistItem({
        path: { ticket_id: id.value },
        body: { text },
        headers: { "Idempotency-Key": idempotencyKey() },
      }),
    ),
  );

export const useChangeItem = (id: Ref<number>) =>
  useBeside(
    id,
    ({ item, ...body }: { item: number } & api.ItemUpdate) =>
      data(api.changeChecklistItem({ path: { ticket_id: id.value, item_id: item }, body })),
    (old, { item, ...body }) => {
      const list = old.checklist.map((i) => (i.id === item ? withChange(i, body) : i));
      if (typeof body.position !== "number") return { ...old, checklist: list };
      const moved = list.find((i) => i.id === item);
      const others = list.filter((i) => i.id !== item);
      if (moved) others.splice(body.position, 0, moved);
      return { ...old, checklist: others };
    },
  );

function withChange(item: api.ChecklistItemRead, body: api.ItemUpdate): api.ChecklistItemRead {
  return { ...item, text: body.text ?? item.text, is_done: body.is_done ?? item.is_done };
}

export const useRemoveItem = (id: Ref<number>) =>
  useBeside(
    id,
    (item: number) => data(api.removeChecklistItem({ path: { ticket_id: id.value, item_id: item } })),
    (old, item) => ({ ...old, checklist: old.checklist.filter((i) => i.id !== item) }),
  );

export const useLink = (id: Ref<number>) =>
  useBeside(id, (body: api.LinkCreate) =>
    data(
      api.linkTicket({
        path: { ticket_id: id.value },
        body,
        headers: { "Idempotency-Key": idempotencyKey() },
      }),
    ),
  );

export const useUnlink = (id: Ref<number>) =>
  useBeside(
    id,
    (link: number) => data(api.unlinkTicket({ path: { ticket_id: id.value, link_id: link } })),
    (old, link) => ({ ...old, links: old.links.filter((l) => l.id !== link) }),
  );

export const useMerge = (id: Ref<number>) =>
  useBeside(id, (body: api.Merge) => data(api.mergeTicket({ path: { ticket_id: id.value }, body })));

export const useSplit = (id: Ref<number>) =>
  useBeside(id, ({ key: once, ...body }: api.Split & { key: string }) =>
    data(api.splitTicket({ path: { ticket_id: id.value }, body, headers: { "Idempotency-Key": once } })),
  );
