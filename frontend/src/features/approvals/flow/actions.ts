import { useMutation, useQueryClient } from "@tanstack/vue-query";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";
import { sentOnce } from "../deciding/once";

function useRefresh() {
  const queries = useQueryClient();
  return () => {
    for (const key of ["approvals", "tickets", "dashboard"])
      void queries.invalidateQueries({ queryKey: [key] });
  };
}

/** One more person decides with the one who is asked. */
export function useAddApprover() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (of: { stepId: number; approver: number; comments: string; version: number }) =>
      stepUp.withProof(() =>
        sentOnce(of, (headers) =>
          data(
            api.addApprover({
              path: { step_id: of.stepId },
              body: { approver_id: of.approver, comments: of.comments || null, version: of.version },
              headers,
            }),
          ),
        ),
      ),
    onSettled: useRefresh(),
  });
}

/** A decision past the approvers, with a reason; refused when it reads differently by now. */
export function useOverride() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (of: {
      workflowId: number;
      action: "APPROVE" | "REJECT";
      comments: string;
      version: number;
    }) =>
      stepUp.withProof(() =>
        sentOnce(of, (headers) =>
          data(
            api.override({
              path: { workflow_id: of.workflowId },
              body: { action: of.action, comments: of.comments, version: of.version },
              headers,
            }),
          ),
        ),
      ),
    onSettled: useRefresh(),
  });
}

/** An emergency approved without being asked, with a reason; others review it. */
export function useBreakGlass() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (of: { workflowId: number; comments: string; version: number; key: string }) =>
      stepUp.withProof(() =>
        data(
          api.breakGlass({
            path: { workflow_id: of.workflowId },
            body: { comments: of.comments, version: of.version },
            headers: { "Idempotency-Key": of.key },
          }),
        ),
      ),
    onSettled: useRefresh(),
  });
}
