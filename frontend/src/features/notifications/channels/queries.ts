import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";

const CHANNELS = ["notification-channels"] as const;
const LOG = ["notification-deliveries"] as const;

export function useChannels() {
  return useQuery({
    queryKey: CHANNELS,
    queryFn: ({ signal }) => data(api.notificationChannels({ signal })),
    refetchInterval: 15_000, // how each goes
  });
}

export function useSetUp() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ key, body }: { key: string; body: api.ChannelUpdate }) =>
      data(api.updateNotificationChannel({ path: { key }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: CHANNELS }),
  });
}

export function useTryChannel() {
  return useMutation({
    mutationFn: (key: string) =>
      data(api.tryNotificationChannel({ path: { key }, headers: { "Idempotency-Key": idempotencyKey() } })),
  });
}

/** One message, looked at until it is known what became of it. */
export function useDelivery(id: Ref<number | null>) {
  return useQuery({
    queryKey: [...LOG, "one", id],
    queryFn: ({ signal }) => data(api.notificationDelivery({ path: { delivery_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
    refetchInterval: (query) => (query.state.data && query.state.data.status !== "PENDING" ? false : 1500),
  });
}

export interface Filters {
  status?: api.DeliveryRead["status"];
  channel?: string;
  kind?: string;
  user_id?: number;
  ticket?: string;
  q?: string;
  since?: string;
  until?: string;
}

export function useDeliveries(filters: Ref<Filters>) {
  return useInfiniteQuery({
    queryKey: [...LOG, "list", filters],
    queryFn: ({ pageParam, signal }) =>
      data(api.notificationDeliveries({ query: { ...filters.value, limit: 50, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });
}

export function useSendAgain() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => data(api.sendDeliveryAgain({ path: { delivery_id: id } })),
    onSettled: () => queries.invalidateQueries({ queryKey: LOG }),
  });
}

export function useSendAllAgain() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (filters: Omit<Filters, "status">) =>
      data(
        api.sendDeliveriesAgain({
          body: filters,
          headers: { "Idempotency-Key": idempotencyKey() },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: LOG }),
  });
}
