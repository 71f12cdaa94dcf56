import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import type { Field } from "@/shared/conditions/conditions";
import { all } from "@/shared/conditions/references";
import { useSession } from "@/stores/session";
import { useStepUp } from "@/stores/stepUp";

const KEY = ["automation"] as const;

export const useRules = () =>
  useQuery({
    queryKey: [...KEY, "rules"],
    queryFn: ({ signal }) => data(api.automationRules({ query: { limit: 100 }, signal })),
  });

export const useRule = (id: Ref<number | null>) =>
  useQuery({
    queryKey: computed(() => [...KEY, "rule", id.value]),
    queryFn: ({ signal }) => data(api.automationRule({ path: { rule_id: id.value ?? 0 }, signal })),
    enabled: computed(() => id.value !== null),
  });

/** What a rule's condition may speak of. */
export function useAutomationFields() {
  const query = useQuery({
    queryKey: [...KEY, "fields"],
    queryFn: ({ signal }) => data(api.automationFields({ signal })),
    staleTime: 60_000,
  });
  return { ...query, fields: computed<Field[]>(() => (query.data.value?.items ?? []) as Field[]) };
}

/** The approval workflows in force, by name; none for who may not read them. */
export function useWorkflows() {
  const session = useSession();
  return useQuery({
    queryKey: ["workflows", "in-force"],
    queryFn: async ({ signal }) => {
      const found = await all((cursor) => data(api.workflows({ query: { limit: 100, cursor }, signal })));
      return found.filter((one) => one.is_active).map(({ id, name }) => ({ id, name }));
    },
    enabled: computed(() => session.can("approvals:read_definitions")),
    staleTime: 60_000,
  });
}

export const useRuns = (id: Ref<number | null>, allAsked: Ref<boolean>) =>
  useInfiniteQuery({
    queryKey: computed(() => [...KEY, "runs", id.value, allAsked.value]),
    queryFn: ({ pageParam, signal }) =>
      data(
        api.automationRuns({
          query: { rule_id: id.value, all_asked: allAsked.value, limit: 25, cursor: pageParam },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: computed(() => id.value !== null),
  });

function useChanging<V, R>(mutationFn: (values: V) => Promise<R>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

/** A rule that calls another system is saved by who confirms that it is them. */
export function useSave() {
  const stepUp = useStepUp();
  return useChanging(({ id, version, body }: { id: number | null; version: number; body: api.RuleWrite }) => {
    const headers = { "Idempotency-Key": idempotencyKey() };
    return stepUp.withProof(() =>
      id === null
        ? data(api.createAutomationRule({ body, headers }))
        : data(api.changeAutomationRule({ path: { rule_id: id }, body: { ...body, version } })),
    );
  });
}

export const useRemove = () =>
  useChanging((id: number) => data(api.removeAutomationRule({ path: { rule_id: id } })));

export const useOrder = () =>
  useChanging((rule_ids: number[]) => data(api.orderAutomationRules({ body: { rule_ids } })));

export function useNewSecret() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (id: number) =>
      stepUp.withProof(() => data(api.renewAutomationSecret({ path: { rule_id: id } }))),
  });
}

export const useTrial = () =>
  useMutation({ mutationFn: (body: api.RuleTrial) => data(api.tryAutomationRule({ body })) });
