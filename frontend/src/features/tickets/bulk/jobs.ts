import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";

export type Action = api.BulkTickets["action"];
/** The tickets meant: those named, or all that the list's own request narrows to. */
export interface Chosen {
  ids: number[];
  query: api.ChangeManyData["query"] | null;
}
const body = ({ ids, query }: Chosen, action: Action) =>
  query ? { all_matching: true, action } : { ticket_ids: ids, action };
const LOOK = 400; // milliseconds between two looks at a job that runs

/** What would become of each ticket; nothing is changed. */
export function usePreview() {
  return useMutation({
    mutationFn: ({ chosen, action }: { chosen: Chosen; action: Action }) =>
      data(api.previewMany({ body: body(chosen, action), query: chosen.query ?? undefined })),
  });
}

/** Begin a job; it goes on by itself. */
export function useChangeMany() {
  return useMutation({
    mutationFn: ({ chosen, action }: { chosen: Chosen; action: Action }) =>
      data(
        api.changeMany({
          body: { ...body(chosen, action), wait: false },
          query: chosen.query ?? undefined,
        }),
      ),
  });
}

/** How far a job is, looked at until it is finished. */
export function useJob(id: Ref<number | null>) {
  return useQuery({
    queryKey: ["bulk", id],
    queryFn: ({ signal }) => data(api.bulkJob({ path: { job_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
    refetchInterval: ({ state }) => (state.data?.status === "FINISHED" ? false : LOOK),
  });
}

/** What failed of a job, and why. */
export function useFailures(id: Ref<number | null>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: ["bulk", id, "failed"],
    queryFn: ({ signal }) =>
      data(
        api.bulkJobItems({
          path: { job_id: id.value ?? 0 },
          query: { status: "FAILED", limit: 100 },
          signal,
        }),
      ),
    enabled: () => id.value !== null && enabled.value,
  });
}

/** Try again what failed, or take back what was done (that is a job of its own). */
export function useGoOn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, verb }: { id: number; verb: "retry" | "undo" }) =>
      data((verb === "retry" ? api.retryBulkJob : api.undoBulkJob)({ path: { job_id: id } })),
    onSuccess: (job) => queries.invalidateQueries({ queryKey: ["bulk", job.id] }),
  });
}
