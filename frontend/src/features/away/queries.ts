import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { Field } from "@/shared/conditions/conditions";
import { useSession } from "@/stores/session";

/** Who stands in for whom now. Windows open and end by the clock, so it is asked again every minute. */
export function useStanding() {
  const session = useSession();
  return useQuery({
    queryKey: ["standing"],
    queryFn: ({ signal }) => data(api.standingIn({ signal })),
    enabled: computed(() => session.can("approvals:decide")),
    staleTime: 30_000,
    refetchInterval: 60_000,
  });
}

export function useDelegations(past: Ref<boolean>, everybody: Ref<boolean>) {
  return useInfiniteQuery({
    queryKey: ["delegations", past, everybody],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.delegations({
          query: { past: past.value, everybody: everybody.value, limit: 50, cursor: pageParam },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

/** What a delegation's condition may speak of: what is known of a request when it is judged. */
export function useScopeFields() {
  const query = useQuery({
    queryKey: ["ticket-fields", "routing"],
    queryFn: ({ signal }) => data(api.ticketFields({ query: { use: "routing" }, signal })),
    staleTime: 60_000,
  });
  return computed<Field[]>(() => (query.data.value?.items ?? []) as Field[]);
}

/** What waits now, and which of it such a delegation would cover. */
export function usePreview(body: Ref<api.DelegationPreview>, isOpen: Ref<boolean>) {
  return useQuery({
    queryKey: ["delegations", "preview", body],
    queryFn: ({ signal }) => data(api.previewDelegation({ body: body.value, signal })),
    enabled: isOpen,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

function useChange<V, A>(change: (values: V) => Promise<A>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () =>
      Promise.all(
        ["delegations", "standing", "approvals", "dashboard", "absences"].map((key) =>
          queries.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
}

export const useMakeDelegation = () =>
  useChange(({ key, ...body }: api.DelegationCreate & { key: string }) =>
    data(api.createDelegation({ body, headers: { "Idempotency-Key": key } })),
  );

export const useChangeDelegation = () =>
  useChange(({ id, ...body }: api.DelegationUpdate & { id: number }) =>
    data(api.changeDelegation({ path: { delegation_id: id }, body })),
  );

export const useEndDelegation = () =>
  useChange((delegation_id: number) => data(api.endDelegation({ path: { delegation_id } })));
