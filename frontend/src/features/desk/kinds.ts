import { useQuery } from "@tanstack/vue-query";
import { data } from "@/api/client";
import * as api from "@/api/generated";

/** The types of request there are, as the tickets' pages keep them too. */
export function useKinds() {
  return useQuery({
    queryKey: ["ticket-types"],
    queryFn: ({ signal }) => data(api.ticketTypes({ query: { limit: 100 }, signal })),
    staleTime: 5 * 60_000,
  });
}
