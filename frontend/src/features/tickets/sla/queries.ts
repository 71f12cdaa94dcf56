import { useQuery } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";

/** The targets of a ticket. What happens to it makes them stale (`live.ts`); time itself does every minute. */
export function useTicketSla(id: Ref<number>) {
  return useQuery({
    queryKey: ["tickets", id, "sla"],
    queryFn: ({ signal }) => data(api.ticketSla({ path: { ticket_id: id.value }, signal })),
    refetchInterval: 60_000,
  });
}
