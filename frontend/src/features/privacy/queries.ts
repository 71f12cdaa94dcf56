import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";

const SOON = 3_000; // while a copy is being made

/** The copies one asked for: of one's own data, or of somebody's. */
export function useCopies(of: Ref<number | null>) {
  return useQuery({
    queryKey: ["personal-exports", of],
    queryFn: ({ signal }) =>
      of.value === null
        ? data(api.ownExports({ query: { limit: 10 }, signal }))
        : data(api.userExports({ path: { user_id: of.value }, query: { limit: 10 }, signal })),
    refetchInterval: (query) =>
      query.state.data?.items.some((copy) => copy.state === "WAITING") ? SOON : false,
  });
}

export function useErasure(of: Ref<number>) {
  return useQuery({
    queryKey: ["erasures", "plan", of],
    queryFn: ({ signal }) => data(api.erasurePlan({ path: { user_id: of.value }, signal })),
  });
}

export function useErasures() {
  return useQuery({
    queryKey: ["erasures", "waiting"],
    queryFn: ({ signal }) => data(api.erasures({ query: { limit: 100 }, signal })),
  });
}

function useProven<V, A>(change: (values: V) => Promise<A>, keys: string[]) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (values: V) => stepUp.withProof(() => change(values)),
    onSettled: () => Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useAskCopy = () =>
  useProven(
    ({ of, key }: { of: number | null; key: string }) => {
      const headers = { "Idempotency-Key": key };
      return of === null
        ? data(api.askOwnExport({ headers }))
        : data(api.askUserExport({ path: { user_id: of }, headers }));
    },
    ["personal-exports"],
  );

/** The copy itself, as a file. */
export const useFetchCopy = () =>
  useProven(async (export_id: number) => {
    return data(api.personalExportFile({ path: { export_id }, parseAs: "blob" })) as Promise<Blob>;
  }, []);

export const useAskErasure = () =>
  useProven(
    ({ of, reason, key }: { of: number; reason: string; key: string }) =>
      data(api.askErasure({ path: { user_id: of }, body: { reason }, headers: { "Idempotency-Key": key } })),
    ["erasures"],
  );

export const useDoErasure = () =>
  useProven(
    (erasure_id: number) => data(api.doErasure({ path: { erasure_id } })),
    ["erasures", "users", "people", "tickets"],
  );

export const useDropErasure = () =>
  useProven((erasure_id: number) => data(api.dropErasure({ path: { erasure_id } })), ["erasures"]);

export const useSetHold = () =>
  useProven(
    ({ of, reason }: { of: number; reason: string | null }) =>
      data(api.setLegalHold({ path: { user_id: of }, body: { reason } })),
    ["erasures"],
  );
