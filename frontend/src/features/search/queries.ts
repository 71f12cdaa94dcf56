import { useInfiniteQuery, useQuery } from "@tanstack/vue-query";
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

/** What may be meant, while one types. */
export function useSuggestions(words: Ref<string>, isWanted: Ref<boolean>) {
  return useQuery({
    queryKey: ["search", "suggestions", words],
    queryFn: ({ signal }) => data(api.searchSuggestions({ query: { q: words.value.slice(0, 500) }, signal })),
    enabled: computed(() => isWanted.value && words.value.length > 1),
    placeholderData: (before) => before,
    staleTime: 10_000,
  });
}

/** People who fit what was asked. */
export function useFoundPeople(q: Ref<string>) {
  return useQuery({
    queryKey: ["search", "people", q],
    queryFn: ({ signal }) => data(api.searchPeople({ query: { q: q.value, limit: 6 }, signal })),
    enabled: computed(() => q.value !== ""),
    staleTime: 30_000,
  });
}
