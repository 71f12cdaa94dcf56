import { useMutation, useQueryClient } from "@tanstack/vue-query";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";
import { sentOnce } from "../deciding/once";
import { laying } from "../deciding/signing";

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
      stepUp.withProof(
        (signature) =>
          sentOnce({ ...of, signature }, (headers) =>
            data(
              api.addApprover({
                path: { step_id: of.stepId },
                body: {
                  approver_id: of.approver,
                  comments: of.comments || null,
                  version: of.version,
                  ...(signature ? { signature } : {}),
                },
                headers,
              }),
            ),
          ),
        laying({
          decision: "ADD_APPROVER",
          step_ids: [of.stepId],
          comments: of.comments || null,
          version: of.version,
          to_id: of.approver,
        }),
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
      stepUp.withProof(
        (signature) =>
          sentOnce({ ...of, signature }, (headers) =>
            data(
              api.override({
                path: { workflow_id: of.workflowId },
                body: {
                  action: of.action,
                  comments: of.comments,
                  version: of.version,
                  ...(signature ? { signature } : {}),
                },
                headers,
              }),
            ),
          ),
        laying({
          decision: `OVERRIDE_${of.action}`,
          workflow_id: of.workflowId,
          comments: of.comments,
          version: of.version,
        }),
      ),
    onSettled: useRefresh(),
  });
}

/** An emergency approved without being asked, with a reason; others review it. */
export function useBreakGlass() {
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: (of: { workflowId: number; comments: string; version: number; key: string }) =>
      stepUp.withProof(
        (signature) =>
          data(
            api.breakGlass({
              path: { workflow_id: of.workflowId },
              body: { comments: of.comments, version: of.version, ...(signature ? { signature } : {}) },
              // signed, it is another request than the one that was refused
              headers: { "Idempotency-Key": signature ? idempotencyKey() : of.key },
            }),
          ),
        laying({
          decision: "BREAK_GLASS",
          workflow_id: of.workflowId,
          comments: of.comments,
          version: of.version,
        }),
      ),
    onSettled: useRefresh(),
  });
}
