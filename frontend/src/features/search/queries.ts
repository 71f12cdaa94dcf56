import { useInfiniteQuery } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";

/** What a search finds, page by page. */
export function useSearch(q: Ref<string>) {
  return useInfiniteQuery({
    queryKey: ["search", q],
    queryFn: ({ pageParam, signal }) =>
      data(api.search({ query: { q: q.value, limit: 20, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: computed(() => q.value !== ""),
    placeholderData: (before) => before,
  });
}
