import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";
import { isOpen, type Action } from "./model";

const RUNS = ["directory-runs"] as const;
const SOON = 2_000; // while a worker is at it
const LATER = 30_000;

export function useRuns(id: Ref<number>, limit = 25) {
  return useInfiniteQuery({
    queryKey: computed(() => [...RUNS, id.value, "list", limit]),
    queryFn: ({ pageParam, signal }) =>
      data(
        api.directoryRuns({ path: { provider_id: id.value }, query: { limit, cursor: pageParam }, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages[0]?.items.some(isOpen) ? SOON : LATER),
  });
}

export function useRun(id: Ref<number>, run: Ref<number>) {
  return useQuery({
    queryKey: computed(() => [...RUNS, id.value, "one", run.value]),
    queryFn: ({ signal }) =>
      data(api.directoryRun({ path: { provider_id: id.value, run_id: run.value }, signal })),
    refetchInterval: (query) => (query.state.data && isOpen(query.state.data) ? SOON : false),
  });
}

export function useRunPeople(
  id: Ref<number>,
  run: Ref<number>,
  action: Ref<Action | undefined>,
  state: Ref<string | undefined>,
) {
  return useInfiniteQuery({
    queryKey: computed(() => [...RUNS, id.value, "people", run.value, action.value, state.value]),
    queryFn: ({ pageParam, signal }) =>
      data(
        api.directoryRunPeople({
          path: { provider_id: id.value, run_id: run.value },
          query: { limit: 50, cursor: pageParam, action: action.value },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });
}

/** Something asked of a directory; confirmed by its person first, when that is asked for. */
function useAsk<T, R>(work: (what: T) => Promise<R>) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (what: T) => stepUp.withProof(() => work(what)),
    onSettled: () => queries.invalidateQueries({ queryKey: RUNS }),
  });
}
const once = () => ({ "Idempotency-Key": idempotencyKey() });

export const useAskForRun = () =>
  useAsk(({ id, is_dry }: { id: number; is_dry: boolean }) =>
    data(api.askForDirectoryRun({ path: { provider_id: id }, body: { is_dry }, headers: once() })),
  );
export const useApplyPlan = () =>
  useAsk(({ id, run }: { id: number; run: number }) =>
    data(api.applyDirectoryPlan({ path: { provider_id: id, run_id: run }, headers: once() })),
  );
export const useDismissPlan = () =>
  useAsk(({ id, run }: { id: number; run: number }) =>
    data(api.dismissDirectoryPlan({ path: { provider_id: id, run_id: run } })),
  );
