import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data, postForm } from "@/api/client";
import * as api from "@/api/generated";

const LOOK = 600; // milliseconds between two looks at an import that runs
const isBusy = (job?: api.ImportRead) => job?.status === "CHECKING" || job?.status === "RUNNING";

/** One import, looked at while the worker is on it. */
export function useImport(id: Ref<number | null>) {
  return useQuery({
    queryKey: ["imports", id],
    queryFn: ({ signal }) => data(api.ticketImport({ path: { import_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
    refetchInterval: ({ state }) => (isBusy(state.data) ? LOOK : false),
  });
}

/** The rows in which something is wrong, as a file. */
export const wrongRows = (id: number) => api.wrongImportRows({ path: { import_id: id }, parseAs: "blob" });

export function useImports(enabled: Ref<boolean>) {
  return useQuery({
    queryKey: ["imports", "list"],
    queryFn: ({ signal }) => data(api.imports({ query: { limit: 10 }, signal })),
    enabled,
  });
}

/** What columns can be for a type, and which say so. */
export function useSuggestion(id: Ref<number>, ticketType: Ref<string>) {
  return useQuery({
    queryKey: ["imports", id, "suggestion", ticketType],
    queryFn: ({ signal }) =>
      data(
        api.suggestImport({
          path: { import_id: id.value },
          query: { ticket_type_key: ticketType.value },
          signal,
        }),
      ),
    enabled: () => ticketType.value !== "",
    staleTime: Infinity,
  });
}

/** The rows in a state, page by page. */
export function useRows(id: Ref<number>, status: Ref<api.ImportRowRead["status"]>, enabled: () => boolean) {
  return useInfiniteQuery({
    queryKey: ["imports", id, "rows", status],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.importRows({
          path: { import_id: id.value },
          query: { status: status.value, limit: 50, cursor: pageParam },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled,
  });
}

export function useBring() {
  return useMutation({
    mutationFn: ({ file, signal }: { file: File; signal: AbortSignal }) => {
      const form = new FormData();
      form.append("file", file);
      return postForm<api.ImportRead>("/api/v1/ticket-imports", form, {
        signal,
        onProgress: () => undefined,
      });
    },
  });
}

/** Say its columns and let its rows be looked at. */
export function useCheck(id: Ref<number>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: api.ImportPlan) => {
      const path = { import_id: id.value };
      await data(api.planImport({ path, body }));
      return data(api.checkImport({ path }));
    },
    onSuccess: (job) => {
      queries.removeQueries({ queryKey: ["imports", job.id, "rows"] });
      queries.setQueryData(["imports", job.id], job);
    },
  });
}

export function useGoOn(id: Ref<number>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (verb: "run" | "cancel") =>
      data((verb === "run" ? api.runImport : api.cancelImport)({ path: { import_id: id.value } })),
    onSuccess: (job) => {
      queries.removeQueries({ queryKey: ["imports", job.id, "rows"] });
      queries.setQueryData(["imports", job.id], job);
    },
  });
}
