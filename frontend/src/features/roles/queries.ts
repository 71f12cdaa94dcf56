import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { ref, type Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";

const keys = {
  all: ["roles"] as const,
  changes: ["role-changes"] as const,
  rules: ["role-rules"] as const,
};

export function usePermissions() {
  return useQuery({
    queryKey: ["permissions"],
    queryFn: ({ signal }) => data(api.permissions({ signal })),
    staleTime: Infinity,
  });
}

/** Every role: a house has tens of them, read page by page. */
export function useRoles(enabled: Ref<boolean> = ref(true)) {
  return useQuery({
    queryKey: [...keys.all, "all"],
    enabled,
    queryFn: async ({ signal }) => {
      const items: api.RoleRead[] = [];
      let cursor: string | undefined;
      do {
        const page = await data(api.roles({ query: { limit: 100, cursor }, signal }));
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return items;
    },
    staleTime: 0,
    refetchOnWindowFocus: false,
  });
}

export function useRules() {
  return useQuery({ queryKey: keys.rules, queryFn: ({ signal }) => data(api.roleRules({ signal })) });
}

export function useChanges(state: Ref<"open" | "settled">) {
  return useInfiniteQuery({
    queryKey: [...keys.changes, state],
    queryFn: ({ pageParam, signal }) =>
      data(api.roleChangeList({ query: { state: state.value, limit: 25, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

export function usePeopleOf(roleId: Ref<number>) {
  return useInfiniteQuery({
    queryKey: [...keys.all, "people", roleId],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.rolePeople({ path: { role_id: roleId.value }, query: { limit: 50, cursor: pageParam }, signal }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

/** The roles of one person, and those that wait for a second administrator. */
export function useRolesOf(userId: Ref<number>) {
  return useQuery({
    queryKey: [...keys.all, "of", userId],
    queryFn: ({ signal }) => data(api.userRoles({ path: { user_id: userId.value }, signal })),
  });
}

/** What changes roles. Each asks for a proof that it is still them, where the server wants one. */
export function useRoleChange() {
  const queries = useQueryClient();
  const stepUp = useStepUp();
  const onSettled = () =>
    Promise.all(
      [keys.all, keys.changes, keys.rules, ["users"], ["access"]].map((queryKey) =>
        queries.invalidateQueries({ queryKey }),
      ),
    );
  return {
    create: useMutation({
      mutationFn: (body: api.RoleCreate) =>
        stepUp.withProof(() =>
          data(api.createRole({ body, headers: { "Idempotency-Key": idempotencyKey() } })),
        ),
      onSettled,
    }),
    update: useMutation({
      mutationFn: ({ id, ...body }: api.RoleWanted & { id: number }) =>
        stepUp.withProof(() => data(api.updateRole({ path: { role_id: id }, body }))),
      onSettled,
    }),
    remove: useMutation({
      mutationFn: ({ id, ...query }: { id: number; move_to?: number; reason?: string }) =>
        stepUp.withProof(() => data(api.removeRole({ path: { role_id: id }, query }))),
      onSettled,
    }),
    give: useMutation({
      mutationFn: ({ id, ...body }: api.GrantCreate & { id: number }) =>
        stepUp.withProof(() => data(api.giveRole({ path: { role_id: id }, body }))),
      onSettled,
    }),
    take: useMutation({
      mutationFn: ({ id, user_id }: { id: number; user_id: number }) =>
        stepUp.withProof(() => data(api.takeRole({ path: { role_id: id, user_id } }))),
      onSettled,
    }),
    rule: useMutation({
      mutationFn: (body: api.RoleRulesSet) => stepUp.withProof(() => data(api.setRoleRules({ body }))),
      onSettled,
    }),
    confirm: useMutation({
      mutationFn: (id: number) =>
        stepUp.withProof(() => data(api.confirmRoleChange({ path: { change_id: id } }))),
      onSettled,
    }),
    refuse: useMutation({
      mutationFn: (id: number) => data(api.refuseRoleChange({ path: { change_id: id } })),
      onSettled,
    }),
  };
}

/** Why somebody can, or cannot, see a ticket. */
export function useAccess(ticketId: Ref<number | null>, userId: Ref<number | null>) {
  return useQuery({
    queryKey: ["access", ticketId, userId],
    queryFn: ({ signal }) =>
      data(
        api.ticketAccess({
          path: { ticket_id: ticketId.value ?? 0 },
          query: { user_id: userId.value ?? 0 },
          signal,
        }),
      ),
    enabled: () => ticketId.value !== null && userId.value !== null,
    retry: false,
    staleTime: 0,
  });
}
