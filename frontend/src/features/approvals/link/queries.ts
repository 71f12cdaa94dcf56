import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";
import { useSession } from "@/stores/session";
import { useStepUp } from "@/stores/stepUp";
import { laying } from "../deciding/signing";

/** How a link from a mail stands, for whoever is signed in here, or nobody. */
export function useLink(token: Ref<string>) {
  const session = useSession();
  return useQuery({
    queryKey: ["decision-link", token, computed(() => session.user?.id ?? null)],
    queryFn: ({ signal }) => data(api.decisionLink({ path: { link_token: token.value }, signal })),
    retry: (count, error) => count < 2 && [0, 502, 503, 504].includes(asProblem(error).status),
    // What one reads stays as one reads it; whether it still holds is asked when one decides.
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

/** Decide with it. Whatever came of it, the page shows how the link stands then. */
export function useDecideByLink(token: Ref<string>) {
  const queries = useQueryClient();
  const session = useSession();
  const stepUp = useStepUp();
  return useMutation({
    mutationFn: ({ stepId, ...body }: api.DecisionByLink & { stepId: number }) =>
      stepUp.withProof(
        (signature) =>
          data(
            api.decideByLink({
              path: { link_token: token.value },
              body: { ...body, ...(signature ? { signature } : {}) },
            }),
          ),
        body.action === "APPROVE"
          ? laying({
              decision: "APPROVE",
              step_ids: [stepId],
              comments: body.comments ?? null,
              version: body.version,
            })
          : null,
      ),
    onSuccess: (link) => {
      queries.setQueryData(["decision-link", token.value, session.user?.id ?? null], link);
      for (const key of ["approvals", "tickets", "dashboard"])
        void queries.invalidateQueries({ queryKey: [key] });
    },
  });
}
