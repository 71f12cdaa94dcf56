import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";

export type Doc = Record<string, unknown>;
export type Definition = api.DefinitionRead;
export type Draft = api.Draft;
export type Version = api.VersionRead;
export type Change = api.Comparison["changes"][number];
export type Path = api.Simulated;
export type PathStage = api.PathStage;
export type Replayed = api.Replayed;
export type ReplayedWay = api.ReplayedWay;
export type Imported = api.Imported;

const KEY = ["workflows"] as const;
const at = (id: Ref<number>) => ({ definition_id: id.value });
const once = () => ({ "Idempotency-Key": idempotencyKey() });

export const documentIn = ({ name, condition, stages, one_by_one_above }: Definition): Doc => ({
  name,
  condition,
  stages,
  one_by_one_above,
});

export function useWorkflows() {
  return useInfiniteQuery({
    queryKey: [...KEY, "list"],
    queryFn: ({ pageParam, signal }) =>
      data(api.workflows({ query: { limit: 50, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

// What is edited is not exchanged under somebody's hands; who saves is told when it has changed.
const QUIET = { staleTime: 0, refetchOnWindowFocus: false, refetchOnReconnect: false } as const;

export function useDefinition(id: Ref<number>) {
  return useQuery({
    queryKey: [...KEY, "one", id],
    queryFn: ({ signal }) => data(api.workflow({ path: at(id), signal })),
    enabled: computed(() => Number.isInteger(id.value)),
    ...QUIET,
  });
}
export const readDraft = (definition_id: number, signal?: AbortSignal) =>
  data(api.workflowDraft({ path: { definition_id }, signal }));
export function useDraft(id: Ref<number>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: [...KEY, "one", id, "draft"],
    queryFn: async ({ signal }) => ({ ...(await readDraft(id.value, signal)), id: id.value }),
    enabled: computed(() => enabled.value && Number.isInteger(id.value)),
    gcTime: 0,
    ...QUIET,
  });
}
export const saveDraft = (definition_id: number, body: api.DraftWrite) =>
  data(api.keepWorkflowDraft({ path: { definition_id }, body }));

function useChange<V, A>(change: (values: V) => Promise<A>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
export const useCreate = () =>
  useChange((document: Doc) =>
    data(
      api.createWorkflow({
        // A draft may be unfinished; the server reads what it can.
        body: { ...(document as unknown as api.DefinitionWrite), publish: false },
        headers: once(),
      }),
    ),
  );
export const useDropDraft = (id: Ref<number>) =>
  useChange((draft_version?: number) =>
    data(api.discardWorkflowDraft({ path: at(id), query: { draft_version } })),
  );
export const usePublish = (id: Ref<number>) =>
  useChange((body: api.PublishBody) => data(api.publishWorkflow({ path: at(id), body })));
export const useRestore = (id: Ref<number>) =>
  useChange((body: api.RestoreBody) => data(api.restoreWorkflow({ path: at(id), body })));
export const useActive = (id: Ref<number>) =>
  useChange((body: api.ActiveBody) => data(api.activateWorkflow({ path: at(id), body })));

export function useVersions(id: Ref<number>) {
  return useInfiniteQuery({
    queryKey: [...KEY, "one", id, "versions"],
    queryFn: ({ pageParam, signal }) =>
      data(api.workflowVersions({ path: at(id), query: { limit: 25, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

/** How one version, or the draft, differs from another. Read anew each time: drafts change. */
export function useComparison(id: Ref<number>, from: Ref<number | null>, to: Ref<string>) {
  return useQuery({
    // Not among those a change makes stale: after publishing there is no draft to compare with.
    queryKey: ["workflow-comparison", id, from, to],
    queryFn: ({ signal }) =>
      data(api.compareWorkflow({ path: at(id), query: { from: String(from.value), to: to.value }, signal })),
    enabled: computed(() => from.value !== null),
    gcTime: 0,
    ...QUIET,
  });
}

export const exportFile = (definition_id: number) =>
  data(api.exportWorkflow({ path: { definition_id } })) as Promise<Doc>;
/** What a file would do here. */
export const lookInto = (file: Doc) => data(api.importWorkflow({ body: { file }, headers: once() }));
export const useImport = () =>
  useChange((body: { file: Doc; replace_draft: boolean }) =>
    data(api.importWorkflow({ body: { ...body, dry_run: false }, headers: once() })),
  );
export const useSimulation = (id: Ref<number>) =>
  useMutation({
    mutationFn: (body: api.SimulateBody) => data(api.simulateWorkflow({ path: at(id), body })),
  });
export const useReplay = (id: Ref<number>) =>
  useMutation({
    mutationFn: (document: Doc) => data(api.replayWorkflow({ path: at(id), body: { document } })),
  });
