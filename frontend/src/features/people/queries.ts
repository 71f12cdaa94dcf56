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
import { useStepUp } from "@/stores/stepUp";

export type PeopleQuery = Omit<NonNullable<api.UsersData["query"]>, "cursor" | "limit">;

/** People by name, inactive ones too. */
export function useUsers(wanted: Ref<PeopleQuery>) {
  return useInfiniteQuery({
    queryKey: ["users", wanted],
    queryFn: ({ pageParam, signal }) =>
      data(api.users({ query: { ...wanted.value, limit: 50, cursor: pageParam }, signal })),
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

export function useSecurity(id: Ref<number>) {
  return useQuery({
    queryKey: ["users", "security", id],
    queryFn: ({ signal }) => data(api.userSecurity({ path: { user_id: id.value }, signal })),
  });
}

export function useUserSessions(id: Ref<number>) {
  return useQuery({
    queryKey: ["users", "sessions", id],
    queryFn: ({ signal }) =>
      data(api.userSessions({ path: { user_id: id.value }, query: { limit: 100 }, signal })),
  });
}

export function useHistory(id: Ref<number>) {
  return useInfiniteQuery({
    queryKey: ["users", "history", id],
    queryFn: ({ pageParam, signal }) =>
      data(api.userHistory({ path: { user_id: id.value }, query: { limit: 25, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

const EVERYWHERE = ["users", "people", "teams", "approvals", "tickets", "delegations", "standing"];

function useChange<V, A>(change: (values: V) => Promise<A>, keys: string[] = ["users", "people"]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useSetActive = () =>
  useChange(
    ({ id, is_active }: { id: number; is_active: boolean }) =>
      data(api.setActive({ path: { user_id: id }, body: { is_active } })),
    EVERYWHERE,
  );

export function useUpdateUser() {
  const stepUp = useStepUp();
  return useChange(
    ({ id, ...body }: api.UserUpdate & { id: number }) =>
      stepUp.withProof(() => data(api.updateUser({ path: { user_id: id }, body }))),
    ["users", "people", "departments"],
  );
}

export const useCreateUser = () =>
  useChange(({ key, ...body }: api.UserCreate & { key: string }) =>
    data(api.createUser({ body, headers: { "Idempotency-Key": key } })),
  );

export function usePasswordLink() {
  const stepUp = useStepUp();
  return useChange((id: number) =>
    stepUp.withProof(() => data(api.makePasswordLink({ path: { user_id: id } }))),
  );
}

export const useEndSessions = () =>
  useChange((id: number) => data(api.endUserSessions({ path: { user_id: id } })));

export const useEndSession = () =>
  useChange((path: { user_id: number; session_id: number }) => data(api.endUserSession({ path })));
