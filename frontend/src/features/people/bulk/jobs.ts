import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";

export type PeopleAction = api.BulkPeople["action"];
const LOOK = 400; // milliseconds between two looks at a job that runs

/** What would become of each of them; nothing is changed. */
export function usePreview() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (body: { user_ids: number[]; action: PeopleAction }) =>
      stepUp.withProof(() => data(api.previewManyPeople({ body }))),
  });
}

/** Begin it; it goes on by itself. */
export function useStart() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (body: api.BulkPeople) => {
      const headers = { "Idempotency-Key": idempotencyKey() };
      return stepUp.withProof(() => data(api.changeManyPeople({ body, headers })));
    },
  });
}

/** How far it is, looked at until it is finished. */
export function useJob(id: Ref<number | null>) {
  return useQuery({
    queryKey: ["people-job", id],
    queryFn: ({ signal }) => data(api.peopleJob({ path: { job_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
    refetchInterval: ({ state }) => (state.data?.status === "FINISHED" ? false : LOOK),
  });
}

/** What failed of it, and why. */
export function useFailures(id: Ref<number | null>, isOver: Ref<boolean>) {
  return useQuery({
    queryKey: ["people-job", id, "failed"],
    queryFn: ({ signal }) =>
      data(
        api.peopleJobItems({
          path: { job_id: id.value ?? 0 },
          query: { status: "FAILED", limit: 100 },
          signal,
        }),
      ),
    enabled: () => id.value !== null && isOver.value,
  });
}

/** Try again what failed. */
export function useRetry() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (id: number) => stepUp.withProof(() => data(api.retryPeopleJob({ path: { job_id: id } }))),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["people-job"] }),
  });
}

/** Give everybody back what they had, where they are still as the job left them. */
export function useUndo() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ id, leaving }: { id: number; leaving: number | null }) => {
      const headers = { "Idempotency-Key": idempotencyKey() };
      return stepUp.withProof(() =>
        data(api.undoPeopleJob({ path: { job_id: id }, body: { leaving }, headers })),
      );
    },
  });
}
