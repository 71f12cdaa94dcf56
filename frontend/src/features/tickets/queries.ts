import { useInfiniteQuery, useQuery } from "@tanstack/vue-query";
import { computed, ref, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { Field } from "@/shared/conditions/conditions";
import { queryOf, requestOf, type Filters } from "./model";

export const keys = {
  lists: ["tickets", "list"] as const,
  waiting: ["tickets", "waiting"] as const,
  list: (filters: Filters) => [...keys.lists, queryOf(filters)] as const,
  one: (id: number) => ["tickets", id] as const,
  comments: (id: number) => ["tickets", id, "comments"] as const,
  attachments: (id: number) => ["tickets", id, "attachments"] as const,
  history: (id: number) => ["tickets", id, "history"] as const,
  assignees: (id: number) => ["tickets", id, "assignees"] as const,
};

/** Tickets page by page. What changed since is brought in by `list/useLiveRows`, without moving a row. */
export function useTickets(filters: Ref<Filters>, first = 50) {
  return useInfiniteQuery({
    queryKey: ["tickets", "list", filters],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.tickets({
          query: { ...requestOf(filters.value), limit: pageParam ? 2 * first : first, cursor: pageParam },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (before) => before,
    staleTime: Infinity,
    refetchOnMount: false,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
  });
}

/** How many there are; exact up to 10,000. */
export function useTicketCount(filters: Ref<Filters>) {
  return useQuery({
    queryKey: ["tickets", "count", filters],
    queryFn: ({ signal }) => {
      const { condition, ...plain } = requestOf({ ...filters.value, sort: "-created_at" });
      const query: api.CountTicketsData["query"] = { ...plain, condition };
      return data(api.countTickets({ query, signal }));
    },
    placeholderData: (before) => before,
    staleTime: 30_000,
  });
}

export function useTicket(id: Ref<number>, enabled?: Ref<boolean>) {
  return useQuery({
    enabled: enabled ?? true,
    queryKey: ["tickets", id],
    queryFn: ({ signal }) => data(api.ticket({ path: { ticket_id: id.value }, signal })),
  });
}

/** What a list can be narrowed by, for conditions. */
export function useListFields(enabled: Ref<boolean> = ref(true)) {
  const query = useQuery({
    queryKey: ["ticket-fields", "list"],
    queryFn: ({ signal }) => data(api.ticketFields({ signal })),
    enabled,
    staleTime: 60_000,
  });
  return computed(() => query.data.value?.items as Field[] | undefined);
}

/** All kinds of request there are: a few hundred at most, so they can be looked through here. */
export function useTicketTypes() {
  return useQuery({
    queryKey: ["ticket-types"],
    queryFn: async ({ signal }) => {
      const items: api.TicketTypeRead[] = [];
      let cursor: string | undefined;
      do {
        const page = await data(api.ticketTypes({ query: { limit: 100, cursor }, signal }));
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return { items };
    },
    staleTime: 5 * 60_000,
  });
}

export function useComments(id: Ref<number>) {
  return useInfiniteQuery({
    queryKey: ["tickets", id, "comments"],
    queryFn: ({ pageParam, signal }) =>
      data(api.comments({ path: { ticket_id: id.value }, query: { limit: 100, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

export function useHistory(id: Ref<number>) {
  return useInfiniteQuery({
    queryKey: ["tickets", id, "history"],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.ticketHistory({
          path: { ticket_id: id.value },
          query: { limit: 100, cursor: pageParam },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

export function useAssignees(id: Ref<number>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: ["tickets", id, "assignees"],
    queryFn: ({ signal }) => data(api.assignees({ path: { ticket_id: id.value }, signal })),
    enabled,
    staleTime: 60_000,
  });
}
