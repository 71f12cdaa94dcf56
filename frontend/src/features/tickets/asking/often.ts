import { useQuery } from "@tanstack/vue-query";
import { computed } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { TicketTypeRead } from "@/api/generated";
import { oftenAsked } from "./search";

const LATEST = 50;

/** The kinds of request somebody asks for most, by their latest requests; of these types at most so many. */
export function useOften(types: () => TicketTypeRead[], most: number) {
  const { data: latest } = useQuery({
    queryKey: ["tickets", "latest"],
    queryFn: ({ signal }) =>
      data(api.tickets({ query: { requester_id: ["me"], sort: "-created_at", limit: LATEST }, signal })),
    staleTime: 5 * 60_000,
  });
  return computed(() => {
    const byKey = new Map(types().map((kind) => [kind.key, kind]));
    const keys = (latest.value?.items ?? []).map((ticket) => ticket.ticket_type).filter((k) => byKey.has(k));
    return oftenAsked(keys, most).flatMap((key) => byKey.get(key) ?? []);
  });
}
