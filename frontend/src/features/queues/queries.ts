import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";

export const SHOWN = ["unassigned", "mine", "all"] as const;
export type Shown = (typeof SHOWN)[number];

export function useQueues() {
  return useQuery({
    queryKey: ["queues", "counts"],
    queryFn: ({ signal }) => data(api.teamQueues({ signal })),
  });
}

export function useQueue(team: Ref<number | null>, show: Ref<Shown>) {
  return useInfiniteQuery({
    queryKey: ["queues", "list", team, show],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.queueTickets({
          path: { team_id: team.value ?? 0 },
          query: { show: show.value, limit: 50, cursor: pageParam },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: computed(() => team.value !== null),
  });
}

/** Who takes a ticket sees it as it is now at once; queues and lists are read again. */
function useTaking<V>(take: (values: V) => Promise<api.TicketRead>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: take,
    onSuccess: (ticket) => queries.setQueryData(["tickets", ticket.id], ticket),
    onSettled: () =>
      Promise.all(["queues", "tickets"].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useClaim = () =>
  useTaking((ticket_id: number) => data(api.claimTicket({ path: { ticket_id } })));
export const useRelease = () =>
  useTaking((ticket_id: number) => data(api.releaseTicket({ path: { ticket_id } })));
export const useClaimNext = () => useTaking((team_id: number) => data(api.claimNext({ path: { team_id } })));
