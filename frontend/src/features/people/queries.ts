import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";

/** People by name, inactive ones too. */
export function useUsers(q: Ref<string>) {
  return useInfiniteQuery({
    queryKey: ["users", q],
    queryFn: ({ pageParam, signal }) =>
      data(api.users({ query: { q: q.value || undefined, limit: 50, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

/** One person, and everything that names them. */
export function useMentions(id: Ref<number>) {
  return useQuery({
    queryKey: ["users", "mentions", id],
    queryFn: ({ signal }) => data(api.userMentions({ path: { user_id: id.value }, signal })),
  });
}

export function useSetActive() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, is_active }: { id: number; is_active: boolean }) =>
      data(api.setActive({ path: { user_id: id }, body: { is_active } })),
    onSettled: () =>
      Promise.all(
        ["users", "people", "teams", "approvals", "tickets", "delegations", "standing"].map((key) =>
          queries.invalidateQueries({ queryKey: [key] }),
        ),
      ),
  });
}
