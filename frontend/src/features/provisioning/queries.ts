import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";
import { KIND, pushing } from "./model";

const PROVIDERS = ["identity-providers"] as const;
const OF = (id: number) => ["provisioning", id] as const;

export function useProviders() {
  return useQuery({
    queryKey: PROVIDERS,
    queryFn: ({ signal }) => data(api.identityProviders({ signal })),
    select: (list) => pushing(list.items),
  });
}

export function useProvider(id: number) {
  return useQuery({
    queryKey: [...PROVIDERS, id],
    queryFn: ({ signal }) => data(api.identityProvider({ path: { provider_id: id }, signal })),
  });
}

/** The address, the tokens, the counts, and whether it was stopped; looked at again while the page is open. */
export function useProvisioning(id: number) {
  return useQuery({
    queryKey: [...OF(id), "state"],
    queryFn: ({ signal }) => data(api.provisioning({ path: { provider_id: id }, signal })),
    refetchInterval: 15_000,
  });
}

export function usePushedGroups(id: number) {
  return useInfiniteQuery({
    queryKey: [...OF(id), "groups"],
    queryFn: ({ pageParam, signal }) =>
      data(api.pushedGroups({ path: { provider_id: id }, query: { limit: 25, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

export function usePushedRequests(id: number, onlyErrors: Ref<boolean>) {
  return useInfiniteQuery({
    queryKey: [...OF(id), "requests", onlyErrors],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.pushedRequests({
          path: { provider_id: id },
          query: { limit: 25, cursor: pageParam, only_errors: onlyErrors.value },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });
}

export function useGroupMap(id: number) {
  return useQuery({
    queryKey: [...OF(id), "map"],
    queryFn: ({ signal }) => data(api.identityProviderGroups({ path: { provider_id: id }, signal })),
  });
}

/** A change that needs to be confirmed as one's own; afterwards everything of the provider is read again. */
function useChange<T, R>(id: number | null, work: (what: T) => Promise<R>) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (what: T) => stepUp.withProof(() => work(what)),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: PROVIDERS }),
        ...(id === null ? [] : [queries.invalidateQueries({ queryKey: OF(id) })]),
      ]),
  });
}

export const useAddProvider = () =>
  useChange(null, (body: { name: string; key: string }) =>
    data(
      api.addIdentityProvider({
        body: { kind: KIND, settings: {}, ...body },
        headers: { "Idempotency-Key": idempotencyKey() },
      }),
    ),
  );
export const useChangeProvider = (id: number) =>
  useChange(id, (body: api.ProviderUpdate) =>
    data(api.changeIdentityProvider({ path: { provider_id: id }, body })),
  );
export const useRemoveProvider = (id: number) =>
  useChange(null, () => data(api.removeIdentityProvider({ path: { provider_id: id } })));
export const useSetMap = (id: number) =>
  useChange(id, (body: api.ProviderGroupsUpdate) =>
    data(api.setIdentityProviderGroups({ path: { provider_id: id }, body })),
  );
export const useMakeToken = (id: number) =>
  useChange(id, (days: number) => data(api.makeScimToken({ path: { provider_id: id }, body: { days } })));
export const useRevokeToken = (id: number) =>
  useChange(id, (token: number) => data(api.revokeScimToken({ path: { provider_id: id, token_id: token } })));
export const useAllow = (id: number) =>
  useChange(id, () => data(api.allowLeavers({ path: { provider_id: id } })));
