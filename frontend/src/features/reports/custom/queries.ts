import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useListFields } from "@/features/tickets";
import type { Field } from "@/shared/conditions/conditions";
import { definitionOf, type Draft } from "./model";

export function useReports() {
  return useQuery({
    queryKey: ["reports", "custom"],
    queryFn: ({ signal }) => data(api.reportPage({ query: { limit: 100 }, signal })),
  });
}

export function useReport(id: Ref<number | null>) {
  return useQuery({
    queryKey: computed(() => ["reports", "custom", id.value]),
    queryFn: ({ signal }) => data(api.reportRead({ path: { report_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
  });
}

export function useChoices() {
  return useQuery({
    queryKey: ["reports", "choices"],
    queryFn: ({ signal }) => data(api.reportChoices({ signal })),
    staleTime: 60_000,
  });
}

/** What the filter may speak of. */
export function useFilterFields() {
  const fields = useListFields();
  return computed<Field[]>(() => fields.value ?? []);
}

/** What a report shows while it is made. */
export function usePreview(asked: Ref<ReturnType<typeof definitionOf>>, isReady: Ref<boolean>) {
  return useQuery({
    queryKey: computed(() => ["reports", "preview", asked.value]),
    queryFn: ({ signal }) => data(api.reportPreview({ body: { definition: asked.value }, signal })),
    enabled: isReady,
    retry: false,
    placeholderData: keepPreviousData,
  });
}

export function useSaving() {
  const queries = useQueryClient();
  const again = () => queries.invalidateQueries({ queryKey: ["reports", "custom"] });
  const save = useMutation({
    mutationFn: ({ id, version, draft }: { id: number | null; version: number; draft: Draft }) => {
      const body = {
        name: draft.name,
        definition: definitionOf(draft),
        person_ids: draft.people,
        team_ids: draft.teams,
        roles: draft.roles,
      };
      return id === null
        ? data(api.reportCreate({ body }))
        : data(api.reportUpdate({ path: { report_id: id }, body: { ...body, version } }));
    },
    onSuccess: again,
  });
  const remove = useMutation({
    mutationFn: (id: number) => data(api.reportDelete({ path: { report_id: id } })),
    onSuccess: again,
  });
  return { save, remove };
}
