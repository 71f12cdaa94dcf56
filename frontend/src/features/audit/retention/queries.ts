import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";

const RETENTION = ["audit", "retention"] as const;

export function useRetention() {
  return useQuery({ queryKey: RETENTION, queryFn: ({ signal }) => data(api.auditRetention({ signal })) });
}

/** Set it; confirmed by its person first. */
export function useSetRetention() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (body: api.RetentionSetup) => stepUp.withProof(() => data(api.setAuditRetention({ body }))),
    onSettled: () => queries.invalidateQueries({ queryKey: RETENTION }),
  });
}
