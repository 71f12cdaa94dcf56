import { useMutation, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { tellLists } from "./live";
import { keys } from "./queries";

/**
 * Every change answers with the ticket as it is now; that goes into the cache at once, the rest is read again. A change
 * that takes the ticket out of one's sight answers nothing.
 */
function useTicketChange<V, A extends api.TicketRead | void = api.TicketRead>(
  id: Ref<number>,
  change: (values: V) => Promise<A>,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: (ticket) => {
      if (ticket) queries.setQueryData(keys.one(ticket.id), ticket);
    },
    onSettled: async () => {
      tellLists(queries, id.value);
      await Promise.all([
        queries.invalidateQueries({ queryKey: keys.one(id.value) }),
        queries.invalidateQueries({ queryKey: ["approvals"] }),
      ]);
    },
  });
}

export function useTransition(id: Ref<number>) {
  return useTicketChange(id, (body: { to: api.StatusChange["to"]; comment?: string }) =>
    data(api.changeStatus({ path: { ticket_id: id.value }, body })),
  );
}

export function useSubmit(id: Ref<number>) {
  return useTicketChange(id, () => data(api.submitTicket({ path: { ticket_id: id.value } })));
}

export function useAssign(id: Ref<number>) {
  return useTicketChange(id, (assignee_id: number | null) =>
    data(api.assignTicket({ path: { ticket_id: id.value }, body: { assignee_id } })),
  );
}

export function useUpdate(id: Ref<number>) {
  return useTicketChange(id, (body: api.TicketUpdate) =>
    data(api.updateTicket({ path: { ticket_id: id.value }, body })),
  );
}
