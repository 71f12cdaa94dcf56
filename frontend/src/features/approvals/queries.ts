import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useSession } from "@/stores/session";

export const queueKey = ["approvals", "queue"] as const;
export const flowKey = (ticketId: number) => ["approvals", "flow", ticketId] as const;

/** The steps that wait for oneself, most urgent first. */
export function useQueue() {
  const session = useSession();
  return useInfiniteQuery({
    queryKey: queueKey,
    queryFn: ({ pageParam, signal }) =>
      data(api.pendingApprovals({ query: { limit: 50, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: computed(() => session.can("approvals:decide")),
  });
}

/** How many wait, for the badge: the exact number is the dashboard's. */
export function useApprovalCount() {
  const { data: queue } = useQueue();
  return computed(() => queue.value?.pages.reduce((sum, p) => sum + p.items.length, 0) ?? 0);
}

/** Who was asked about a ticket, who said what, who is asked now. */
export function useFlow(ticketId: Ref<number>) {
  return useQuery({
    queryKey: ["approvals", "flow", ticketId],
    queryFn: ({ signal }) => data(api.ticketApprovals({ path: { ticket_id: ticketId.value }, signal })),
  });
}

export type Verb = "approve" | "reject" | "request_info" | "delegate" | "escalate";
export interface Decision {
  stepId: number;
  verb: Verb;
  /** Which wording one looked at: on a newer one nothing is decided. */
  version: number;
  comments?: string;
  delegateTo?: number | null;
}
const CALLS = {
  approve: api.approve,
  reject: api.reject,
  request_info: api.requestInfo,
  delegate: api.delegate,
  escalate: api.escalate,
};

function useRefresh() {
  const queries = useQueryClient();
  return () => {
    for (const key of ["approvals", "tickets", "dashboard"])
      void queries.invalidateQueries({ queryKey: [key] });
  };
}

export function useDecide() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: ({ stepId, verb, version, comments, delegateTo }: Decision) =>
      data(
        CALLS[verb]({
          path: { step_id: stepId },
          body: { comments: comments || null, delegate_to: delegateTo ?? null, version },
        }),
      ),
    onSettled: refresh,
  });
}

export function useDecideMany() {
  const refresh = useRefresh();
  return useMutation({
    mutationFn: (body: api.BulkAction) => data(api.decideMany({ body })),
    onSettled: refresh,
  });
}
