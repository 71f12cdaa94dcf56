import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";
import type { askedOf } from "./model";

type Asked = ReturnType<typeof askedOf>;

/** What was done, newest first. */
export function useTrail(asked: Ref<Asked>) {
  return useInfiniteQuery({
    queryKey: ["audit", "trail", asked],
    queryFn: ({ pageParam, signal }) =>
      data(api.auditTrail({ query: { ...asked.value, limit: 50, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

/** How many entries fit. */
export function useTrailCount(asked: Ref<Asked>) {
  return useQuery({
    queryKey: ["audit", "count", asked],
    queryFn: ({ signal }) => data(api.auditCount({ query: asked.value, signal })),
    placeholderData: (before) => before,
  });
}

/** Take what was found away as a file; confirmed by its person first. */
export function useExportTrail() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ asked, format }: { asked: Asked; format: "csv" | "ndjson" }) =>
      stepUp.withProof(async () => {
        const {
          data: file,
          error,
          response,
        } = await api.exportAudit({
          query: { ...asked, format },
          parseAs: "blob",
        });

        if (error || !response) throw error ?? new Error("no answer");
        return {
          file: file as Blob,
          rows: Number(response.headers.get("X-Export-Rows")),
          isCut: response.headers.get("X-Export-Cut") === "true",
        };
      }),
  });
}

/** Whether the chain is whole; asked again while a check runs. */
export function useStanding() {
  return useQuery({
    queryKey: ["audit", "standing"],
    queryFn: ({ signal }) => data(api.auditStanding({ signal })),
    refetchInterval: (query) => (query.state.data?.running ? 2000 : 60_000),
  });
}

/** Have the whole chain checked. */
export function useCheck() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => data(api.checkAudit()),
    onSettled: () => queries.invalidateQueries({ queryKey: ["audit", "standing"] }),
  });
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Have the evidence of a request put together, and take it away when it is ready. */
export function useEvidence() {
  return useMutation({
    mutationFn: async (ticket_id: number) => {
      let pack = await data(api.askForEvidence({ path: { ticket_id } }));
      for (let tries = 0; pack.status === "WAITING" && tries < 90; tries += 1) {
        await pause(1000);
        pack = await data(api.evidenceStanding({ path: { pack_id: pack.id } }));
      }
      if (pack.status !== "READY") return null;
      const file = await data(api.takeEvidence({ path: { pack_id: pack.id }, parseAs: "blob" }));
      return { file: file as Blob, name: `evidence-${ticket_id}.zip` };
    },
  });
}
