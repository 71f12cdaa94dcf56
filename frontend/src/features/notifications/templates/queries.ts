import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { refDebounced } from "@vueuse/core";
import type { Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";

const KEY = ["notification-templates"] as const;

export type Way = api.TemplateRead["channel"];
export type Language = api.TemplateRead["language"];
export interface Which {
  key: string;
  channel: Way;
  language: Language;
}
export interface Words {
  subject: string;
  body: string;
}

export function useTemplates() {
  return useQuery({
    queryKey: [...KEY, "list"],
    queryFn: ({ signal }) => data(api.notificationTemplates({ signal })),
  });
}

const place = (which: Which) => ({
  path: { key: which.key },
  query: { channel: which.channel, language: which.language },
});

export function useTemplate(which: Ref<Which>) {
  return useQuery({
    queryKey: [...KEY, "one", which],
    queryFn: ({ signal }) => data(api.notificationTemplate({ ...place(which.value), signal })),
  });
}

export function useVersions(which: Ref<Which>) {
  return useInfiniteQuery({
    queryKey: [...KEY, "versions", which],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.notificationTemplateVersions({
          path: { key: which.value.key },
          query: {
            channel: which.value.channel,
            language: which.value.language,
            limit: 20,
            cursor: pageParam,
          },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

/** What the words would say; asked for again a moment after one stops typing. */
export function usePreview(which: Ref<Which>, ticketId: Ref<number | undefined>, words: Ref<Words>) {
  const settled = refDebounced(words, 500);
  return useQuery({
    queryKey: [...KEY, "preview", which, ticketId, settled],
    queryFn: ({ signal }) =>
      data(
        api.previewNotificationTemplate({
          ...place(which.value),
          body: { ticket_id: ticketId.value ?? null, ...settled.value },
          signal,
        }),
      ),
    enabled: () => settled.value.subject.trim() !== "" && settled.value.body.trim() !== "",
    retry: false,
    staleTime: 5 * 60_000, // its frame is kept for ten
    placeholderData: (before) => before,
  });
}

/** Requests to try words on: the latest, or those with these words. */
export function useTrialTickets(q: Ref<string>) {
  const asked = refDebounced(q, 200);
  return useQuery({
    queryKey: [...KEY, "tickets", asked],
    queryFn: ({ signal }) =>
      data(
        api.tickets({
          query: { q: asked.value.trim() || undefined, limit: 10, sort: "-updated_at" },
          signal,
        }),
      ),
    placeholderData: (before) => before,
  });
}

export function useSaveTemplate() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ which, words, version }: { which: Which; words: Words; version: number }) =>
      data(api.updateNotificationTemplate({ ...place(which), body: { ...words, version } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useResetTemplate() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ which, version }: { which: Which; version: number }) =>
      data(
        api.resetNotificationTemplate({
          path: { key: which.key },
          query: { channel: which.channel, language: which.language, version },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useSendTest() {
  return useMutation({
    mutationFn: ({ which, ticketId, words }: { which: Which; ticketId?: number; words: Words }) =>
      data(
        api.tryNotificationTemplate({
          ...place(which),
          body: { ticket_id: ticketId ?? null, ...words },
          headers: { "Idempotency-Key": idempotencyKey() },
        }),
      ),
  });
}
