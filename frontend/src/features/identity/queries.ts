import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";

const PROVIDERS = ["identity-providers"] as const;

export function useProviders() {
  return useQuery({
    queryKey: PROVIDERS,
    queryFn: ({ signal }) => data(api.identityProviders({ signal })),
  });
}

export function useProvider(id: Ref<number>) {
  return useQuery({
    queryKey: computed(() => [...PROVIDERS, id.value]),
    queryFn: ({ signal }) => data(api.identityProvider({ path: { provider_id: id.value }, signal })),
  });
}

export function useKinds() {
  return useQuery({
    queryKey: ["identity-provider-kinds"],
    queryFn: ({ signal }) => data(api.identityProviderKinds({ signal })),
    staleTime: Infinity,
  });
}

/** Something that changes providers; confirmed by its person first, when that is asked for. */
function useChange<T, R>(work: (what: T) => Promise<R>) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (what: T) => stepUp.withProof(() => work(what)),
    onSettled: () => queries.invalidateQueries({ queryKey: PROVIDERS }),
  });
}
export const useAddProvider = () =>
  useChange((body: api.ProviderCreate) =>
    data(api.addIdentityProvider({ body, headers: { "Idempotency-Key": idempotencyKey() } })),
  );
export const useChangeProvider = () =>
  useChange(({ id, body }: { id: number; body: api.ProviderUpdate }) =>
    data(api.changeIdentityProvider({ path: { provider_id: id }, body })),
  );
export const useRemoveProvider = () =>
  useChange((id: number) => data(api.removeIdentityProvider({ path: { provider_id: id } })));
export const useSetGroups = () =>
  useChange(({ id, body }: { id: number; body: api.ProviderGroupsUpdate }) =>
    data(api.setIdentityProviderGroups({ path: { provider_id: id }, body })),
  );
export const useTestProvider = () =>
  useChange((id: number) => data(api.testIdentityProvider({ path: { provider_id: id } })));

export function useReadSamlMetadata() {
  return useMutation({
    mutationFn: (body: api.SamlMetadataAsked) => data(api.readSamlMetadata({ body })),
  });
}

export function useGroups(id: Ref<number>) {
  return useQuery({
    queryKey: computed(() => [...PROVIDERS, id.value, "groups"]),
    queryFn: ({ signal }) => data(api.identityProviderGroups({ path: { provider_id: id.value }, signal })),
  });
}
