import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { computed } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { useStepUp } from "@/stores/stepUp";

// Below "ticket-types", as the kinds people ask for: whatever changes one is read again everywhere.
const keys = {
  all: ["ticket-types"] as const,
  categories: ["categories"] as const,
};

export type ActiveFilter = "all" | "active" | "inactive";

/** Every kind of request there is, found by name or key. */
export function useTypes(q: Ref<string>, active: Ref<ActiveFilter>) {
  return useInfiniteQuery({
    queryKey: ["ticket-types", "configured", q, active],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.ticketTypes({
          query: {
            q: q.value.trim() || undefined,
            is_active: active.value === "all" ? undefined : active.value === "active",
            limit: 100,
            cursor: pageParam,
          },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });
}

export function useType(key: Ref<string>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: ["ticket-types", "one", key],
    queryFn: ({ signal }) => data(api.ticketType({ path: { key: key.value }, signal })),
    enabled,
    // What is edited is not exchanged under somebody's hands; who saves is told when it has changed.
    staleTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

export function useVersions(key: Ref<string>) {
  return useInfiniteQuery({
    queryKey: ["ticket-types", "one", key, "versions"],
    queryFn: ({ pageParam, signal }) =>
      data(api.formVersions({ path: { key: key.value }, query: { limit: 20, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

/** How one version of the form differs from another. */
export function useComparison(key: Ref<string>, number: Ref<number | null>, against: Ref<number | null>) {
  return useQuery({
    queryKey: ["ticket-types", "one", key, "versions", number, against],
    queryFn: ({ signal }) =>
      data(
        api.formVersion({
          path: { key: key.value, number: number.value ?? 1 },
          query: { against: against.value ?? undefined },
          signal,
        }),
      ),
    enabled: computed(() => number.value !== null),
  });
}

/** What speaks of a field: tickets with a value, workflows and rules with a condition. */
export function useUses(key: Ref<string>, field: Ref<string | null>) {
  return useQuery({
    queryKey: ["ticket-types", "one", key, "uses", field],
    queryFn: ({ signal }) =>
      data(api.fieldUses({ path: { key: key.value, field: field.value ?? "" }, signal })),
    enabled: computed(() => field.value !== null),
    staleTime: 0,
  });
}

/** The server's word on a form before it is published, and what it would change. */
export const checkForm = (ticketType: string | null, form: Record<string, unknown>) =>
  data(api.checkForm({ body: { ticket_type: ticketType, form } }));

export const readType = (key: string) => data(api.ticketType({ path: { key } }));
export const compareForms = (key: string, number: number, against: number) =>
  data(api.formVersion({ path: { key, number }, query: { against } }));

function useTypeChange<V>(change: (values: V) => Promise<api.TicketTypeRead>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async (type) => {
      queries.setQueryData(["ticket-types", "one", type.key], type);
      await queries.invalidateQueries({ queryKey: keys.all });
      void queries.invalidateQueries({ queryKey: keys.categories });
    },
  });
}
export const useCreateType = () => {
  // After a broken connection the same is sent with the same key, and makes no second type.
  let last: { text: string; key: string } | null = null;
  return useTypeChange((body: api.TicketTypeCreate) => {
    const text = JSON.stringify(body);
    if (last?.text !== text) last = { text, key: idempotencyKey() };
    return data(api.createTicketType({ body, headers: { "Idempotency-Key": last.key } }));
  });
};
/** A form that takes a field's mark as sensitive away is published by who confirms that it is them. */
export function useUpdateType(key: Ref<string>) {
  const stepUp = useStepUp();
  return useTypeChange((body: api.TicketTypeUpdate) =>
    stepUp.withProof(() => data(api.updateTicketType({ path: { key: key.value }, body }))),
  );
}
export function useRestore(key: Ref<string>) {
  const stepUp = useStepUp();
  return useTypeChange(({ number, ...body }: { number: number; version: number; note: string }) => {
    const headers = { "Idempotency-Key": idempotencyKey() };
    return stepUp.withProof(() =>
      data(api.restoreForm({ path: { type_key: key.value, number }, body, headers })),
    );
  });
}

// --- categories ------------------------------------------------------------------------------------------------------

export function useCategories() {
  return useQuery({
    queryKey: keys.categories,
    queryFn: ({ signal }) => data(api.categoryList({ signal })),
  });
}

export function useCategoryChange() {
  const queries = useQueryClient();
  const onSettled = async () => {
    await queries.invalidateQueries({ queryKey: keys.categories });
    void queries.invalidateQueries({ queryKey: keys.all });
  };
  const create = useMutation({
    mutationFn: (name: string) =>
      data(api.createCategory({ body: { name }, headers: { "Idempotency-Key": idempotencyKey() } })),
    onSettled,
  });
  const update = useMutation({
    mutationFn: ({ id, ...body }: api.CategoryUpdate & { id: number }) =>
      data(api.updateCategory({ path: { category_id: id }, body })),
    onSettled,
  });
  const remove = useMutation({
    mutationFn: (id: number) => data(api.removeCategory({ path: { category_id: id } })),
    onSettled,
  });
  return { create, update, remove };
}
