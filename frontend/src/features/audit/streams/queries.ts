import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";
import type { StreamSetup } from "./model";

const STREAMS = ["audit", "streams"] as const;

export function useStreams() {
  return useQuery({
    queryKey: STREAMS,
    queryFn: ({ signal }) => data(api.auditStreams({ signal })),
    refetchInterval: 10_000, // how each goes
  });
}

/** Something that changes destinations; confirmed by its person first. */
function useChange<T, R>(work: (what: T) => Promise<R>) {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (what: T) => stepUp.withProof(() => work(what)),
    onSettled: () => queries.invalidateQueries({ queryKey: STREAMS }),
  });
}

/** Add a destination (`id` null), or change one; `start` moves where it begins. */
export const useSaveStream = () =>
  useChange(
    ({
      id,
      version,
      body,
      start,
    }: {
      id: number | null;
      version: number;
      body: StreamSetup;
      start: "NOW" | "BEGINNING" | null;
    }) =>
      id === null
        ? data(
            api.addAuditStream({
              body: { ...body, start: start ?? "NOW" },
              headers: { "Idempotency-Key": idempotencyKey() },
            }),
          )
        : data(api.changeAuditStream({ path: { stream_id: id }, body: { ...body, version, start } })),
  );
export const useRemoveStream = () =>
  useChange((id: number) => data(api.removeAuditStream({ path: { stream_id: id } })));

export function useTryStream() {
  return useMutation({ mutationFn: (body: api.StreamTest) => data(api.tryAuditStream({ body })) });
}
