import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useSession } from "@/stores/session";
import { reviewsKey } from "../queries";

/** Reviews one may decide or follow, or everybody's for auditors; the newest first. */
export function useReviews(isOver: Ref<boolean>, everybody: Ref<boolean>) {
  return useInfiniteQuery({
    queryKey: [...reviewsKey, "list", isOver, everybody],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.approvalReviews({
          query: {
            state: isOver.value ? undefined : "OPEN",
            everybody: everybody.value,
            limit: 25,
            cursor: pageParam,
          },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

/** How many reviews wait for oneself. */
export function useReviewCount() {
  const session = useSession();
  const { data: page } = useQuery({
    queryKey: [...reviewsKey, "count"],
    queryFn: ({ signal }) => data(api.approvalReviews({ query: { state: "OPEN", limit: 1 }, signal })),
    enabled: computed(() => session.can("approvals:decide")),
  });
  return computed(() => page.value?.waiting_count ?? 0);
}

export function useVerdict() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (of: { id: number; verdict: "CONFIRM" | "OBJECT"; comments: string }) =>
      data(
        api.decideReview({
          path: { review_id: of.id },
          body: { verdict: of.verdict, comments: of.comments },
        }),
      ),
    onSettled: () => {
      for (const key of ["approvals", "tickets", "dashboard"])
        void queries.invalidateQueries({ queryKey: [key] });
    },
  });
}
