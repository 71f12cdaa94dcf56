import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { Field } from "@/shared/conditions/conditions";

const KEY = ["routing"] as const;

export function useRules() {
  return useQuery({
    queryKey: [...KEY, "rules"],
    queryFn: ({ signal }) => data(api.routingRules({ signal })),
  });
}

/** What a rule's condition may speak of. */
export function useRoutingFields() {
  const query = useQuery({
    queryKey: ["ticket-fields", "routing"],
    queryFn: ({ signal }) => data(api.ticketFields({ query: { use: "routing" }, signal })),
    staleTime: 60_000,
  });
  return { ...query, fields: computed<Field[]>(() => (query.data.value?.items ?? []) as Field[]) };
}

export function useVersions() {
  return useInfiniteQuery({
    queryKey: [...KEY, "versions"],
    queryFn: ({ pageParam, signal }) =>
      data(api.routingVersions({ query: { limit: 25, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

function usePublishing<V>(publish: (values: V) => Promise<api.RulesRead>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: publish,
    onSuccess: (rules) => {
      queries.setQueryData([...KEY, "rules"], rules);
      void queries.invalidateQueries({ queryKey: [...KEY, "versions"] });
    },
  });
}

export const usePublish = () =>
  usePublishing((body: api.RulesPublish) => data(api.publishRoutingRules({ body })));

export const useRestore = () =>
  usePublishing(({ version, instead_of }: { version: number; instead_of: number }) =>
    data(api.restoreRoutingRules({ path: { version }, body: { instead_of } })),
  );

export const useRehearsal = () =>
  useMutation({
    mutationFn: (rules: api.RuleBody[]) => data(api.rehearseRoutingRules({ body: { rules } })),
  });
