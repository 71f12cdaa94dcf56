import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data, postForm } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";

const LOOK = 600; // milliseconds between two looks at an import that runs
const KEY = "people-imports";

/** One import, looked at while the worker is on it. */
export function usePeopleImport(id: Ref<number | null>) {
  return useQuery({
    queryKey: [KEY, id],
    queryFn: ({ signal }) => data(api.peopleImport({ path: { import_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
    refetchInterval: ({ state }) => (state.data?.status === "RUNNING" ? LOOK : false),
  });
}

/** The rows in which something is wrong, as a file. */
export const wrongRows = (id: number) => api.wrongPeopleRows({ path: { import_id: id }, parseAs: "blob" });

export function usePeopleImports() {
  return useQuery({
    queryKey: [KEY, "list"],
    queryFn: ({ signal }) => data(api.peopleImports({ query: { limit: 10 }, signal })),
  });
}

export type Which = {
  outcome?: api.PeopleImportRowRead["outcome"];
  status?: api.PeopleImportRowRead["status"];
};

/** Rows of one kind, page by page. */
export function usePeopleRows(id: Ref<number>, which: Ref<Which>) {
  return useInfiniteQuery({
    queryKey: [KEY, id, "rows", which],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.peopleImportRows({
          path: { import_id: id.value },
          query: {
            outcome: which.value.outcome ?? undefined,
            status: which.value.status,
            limit: 50,
            cursor: pageParam,
          },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

export function useBringPeople() {
  return useMutation({
    mutationFn: ({ file, signal }: { file: File; signal: AbortSignal }) => {
      const form = new FormData();
      form.append("file", file);
      return postForm<api.PeopleImportRead>("/api/v1/people-imports", form, {
        signal,
        onProgress: () => undefined,
      });
    },
  });
}

function useTold<V>(change: (values: V) => Promise<api.PeopleImportRead>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (job) => {
      queries.removeQueries({ queryKey: [KEY, job.id, "rows"] });
      queries.setQueryData([KEY, job.id], job);
      void queries.invalidateQueries({ queryKey: [KEY, "list"] });
    },
  });
}

/** Say its columns; each row then says what it would do. */
export const usePlanPeople = (id: Ref<number>) =>
  useTold((body: api.PeopleImportPlan) =>
    data(api.planPeopleImport({ path: { import_id: id.value }, body })),
  );

/** Put it into force; what takes a proof is asked for one. */
export function useRunPeople(id: Ref<number>) {
  const stepUp = useStepUp();
  return useTold((leaving: number | null) =>
    stepUp.withProof(() => data(api.runPeopleImport({ path: { import_id: id.value }, body: { leaving } }))),
  );
}

export const useCancelPeople = (id: Ref<number>) =>
  useTold(() => data(api.cancelPeopleImport({ path: { import_id: id.value } })));

export function useRetryPeople(id: Ref<number>) {
  const stepUp = useStepUp();
  return useTold(() =>
    stepUp.withProof(() => data(api.retryPeopleImport({ path: { import_id: id.value } }))),
  );
}
