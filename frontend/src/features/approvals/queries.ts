import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useSession } from "@/stores/session";

export const queueKey = ["approvals", "queue"] as const;
export const flowKey = (ticketId: number) => ["approvals", "flow", ticketId] as const;

export const reviewsKey = ["approvals", "reviews"] as const;
export const summaryKey = ["approvals", "summary"] as const;

/** What part of the queue is looked at. */
export interface Part {
  ticketType: string | null;
  workflow: string | null;
}

/** The steps that wait for oneself, most urgent first. */
export function useQueue(part?: Ref<Part>) {
  const session = useSession();
  return useInfiniteQuery({
    queryKey: [...queueKey, computed(() => part?.value ?? { ticketType: null, workflow: null })],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.pendingApprovals({
          query: {
            limit: 50,
            cursor: pageParam,
            ticket_type: part?.value.ticketType ?? undefined,
            workflow: part?.value.workflow ?? undefined,
          },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: computed(() => session.can("approvals:decide")),
  });
}

/** How much waits for oneself: in all, overdue, by workflow and type. */
export function useSummary() {
  const session = useSession();
  return useQuery({
    queryKey: summaryKey,
    queryFn: ({ signal }) => data(api.pendingSummary({ signal })),
    enabled: computed(() => session.can("approvals:decide")),
  });
}

/** What reads differently now than in the version one looked at. */
export function useChanges(stepId: Ref<number>, since: Ref<number>, version: Ref<number>) {
  return useQuery({
    queryKey: ["approvals", "changes", stepId, since, version],
    queryFn: ({ signal }) =>
      data(api.changesOfStep({ path: { step_id: stepId.value }, query: { since: since.value }, signal })),
    enabled: computed(() => since.value !== version.value),
    staleTime: Infinity,
  });
}

/** Who was asked about a ticket, who said what, who is asked now. */
export function useFlow(ticketId: Ref<number>) {
  return useQuery({
    queryKey: ["approvals", "flow", ticketId],
    queryFn: ({ signal }) => data(api.ticketApprovals({ path: { ticket_id: ticketId.value }, signal })),
    // An instant that was foretold has come: what it brought is there within seconds, whether a live line is up or not.
    refetchInterval: ({ state }) => {
      const next = state.data?.items[0]?.ahead[0];
      return next && Date.parse(next.at) < Date.now() ? 3000 : false;
    },
  });
}

/** How each rung was reached; asked again while something is still on its way. */
export function useProof(ticketId: Ref<number>, isWanted: Ref<boolean>) {
  return useQuery({
    queryKey: ["approvals", "proof", ticketId],
    queryFn: ({ signal }) => data(api.proofOfApproval({ path: { ticket_id: ticketId.value }, signal })),
    enabled: isWanted,
    refetchInterval: ({ state }) => {
      const calls = (state.data?.items ?? []).flatMap((r) => r.calls);
      const waits = calls.some((c) => !c.told.length || c.told.some((one) => one.status === "PENDING"));
      const isFresh = calls.some((c) => Date.now() - Date.parse(c.at) < 600_000);
      return waits && isFresh ? 3000 : false;
    },
  });
}

export type Verb = "approve" | "reject" | "request_info" | "delegate" | "escalate";
function useRefresh() {
  const queries = useQueryClient();
  return () => {
    for (const key of ["approvals", "tickets", "dashboard"])
      void queries.invalidateQueries({ queryKey: [key] });
  };
}

export function useDecideMany() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (body: api.BulkAction) => data(api.decideMany({ body })),
    onSettled: refresh,
  });
}
