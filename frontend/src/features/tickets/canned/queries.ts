import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { refDebounced } from "@vueuse/core";
import type { Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";

const KEY = ["canned-replies"] as const;

/** The canned replies one may use, by title. */
export function useReplies(q: Ref<string>) {
  const asked = refDebounced(q, 200);
  return useInfiniteQuery({
    queryKey: [...KEY, "list", asked],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.cannedReplies({
          query: { q: asked.value.trim() || undefined, limit: 50, cursor: pageParam },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: (before) => before,
  });
}

export function useVariables() {
  return useQuery({
    queryKey: [...KEY, "variables"],
    queryFn: ({ signal }) => data(api.cannedVariables({ signal })),
    staleTime: Infinity,
  });
}

/** The teams of the company, for those who write for one. */
export function useTeams(enabled: Ref<boolean>) {
  return useQuery({
    queryKey: ["teams", "names"],
    queryFn: ({ signal }) => data(api.teams({ query: { limit: 100 }, signal })),
    enabled,
    staleTime: 5 * 60_000,
  });
}

/** Tickets to try a reply on: the latest, or those with these words. */
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

/** What a reply would say on a ticket. */
export function usePreview(ticketId: Ref<number | null>, body: Ref<string>) {
  const words = refDebounced(body, 400);
  return useQuery({
    queryKey: [...KEY, "preview", ticketId, words],
    queryFn: ({ signal }) =>
      data(api.previewCannedReply({ body: { ticket_id: ticketId.value ?? 0, body: words.value }, signal })),
    enabled: () => ticketId.value !== null && words.value.trim() !== "",
    retry: false,
    placeholderData: (before) => before,
  });
}

export interface Words {
  title: string;
  body: string;
}

export function useSaveReply() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({
      reply,
      words,
      teamId,
    }: {
      reply: api.ReplyRead | null;
      words: Words;
      teamId: number | null;
    }) =>
      reply
        ? data(
            api.updateCannedReply({
              path: { reply_id: reply.id },
              body: { ...words, version: reply.version },
            }),
          )
        : data(
            api.createCannedReply({
              body: { ...words, team_id: teamId },
              headers: { "Idempotency-Key": idempotencyKey() },
            }),
          ),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useRemoveReply() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (reply: api.ReplyRead) => data(api.removeCannedReply({ path: { reply_id: reply.id } })),
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
