import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { refDebounced } from "@vueuse/core";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { keys } from "../queries";

export type Visibility = "PUBLIC" | "INTERNAL";

/** After anything said, changed or taken back: what is open of it is read again. */
function useChange<V>(id: Ref<number>, change: (values: V) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.comments(id.value) }),
        queries.invalidateQueries({ queryKey: keys.history(id.value) }),
      ]),
  });
}

export function useEditComment(id: Ref<number>) {
  return useChange(id, ({ comment, body }: { comment: api.CommentRead; body: string }) =>
    data(
      api.editComment({
        path: { ticket_id: id.value, comment_id: comment.id },
        body: { body, version: comment.version },
      }),
    ),
  );
}

export function useRemoveComment(id: Ref<number>) {
  return useChange(id, (comment: api.CommentRead) =>
    data(api.removeComment({ path: { ticket_id: id.value, comment_id: comment.id } })),
  );
}

export function useVersions(ticketId: Ref<number>, comment: Ref<api.CommentRead | null>) {
  return useQuery({
    queryKey: [
      "tickets",
      ticketId,
      "comments",
      () => comment.value?.id,
      "versions",
      () => comment.value?.version,
    ],
    queryFn: ({ signal }) =>
      data(
        api.commentVersions({
          path: { ticket_id: ticketId.value, comment_id: comment.value?.id ?? 0 },
          signal,
        }),
      ),
    enabled: () => comment.value !== null,
  });
}

/** The mail a comment came by; null asks nothing. */
export function useOriginal(ticketId: Ref<number>, comment: Ref<api.CommentRead | null>) {
  return useQuery({
    queryKey: ["tickets", ticketId, "comments", () => comment.value?.id, "original"],
    queryFn: ({ signal }) =>
      data(
        api.originalMail({
          path: { ticket_id: ticketId.value, comment_id: comment.value?.id ?? 0 },
          signal,
        }),
      ),
    enabled: () => comment.value !== null,
    staleTime: Infinity,
  });
}

/** Who can be mentioned, by a part of their name; null asks nothing. */
export function useMentionable(id: Ref<number>, q: Ref<string | null>, visibility: Ref<Visibility>) {
  const asked = refDebounced(q, 120);
  return useQuery({
    queryKey: ["tickets", id, "mentionable", visibility, asked],
    queryFn: ({ signal }) =>
      data(
        api.mentionablePeople({
          path: { ticket_id: id.value },
          query: { q: asked.value ?? "", visibility: visibility.value, limit: 8 },
          signal,
        }),
      ),
    enabled: () => asked.value !== null,
    staleTime: 30_000,
    placeholderData: (before) => before,
  });
}

/** Canned replies for the picker, those one takes most often first; null asks nothing. */
export function useReplyPicks(q: Ref<string | null>) {
  const asked = refDebounced(q, 120);
  return useQuery({
    queryKey: ["canned-replies", "picks", asked],
    queryFn: ({ signal }) =>
      data(
        api.cannedReplies({ query: { q: asked.value?.trim() || undefined, sort: "use", limit: 8 }, signal }),
      ),
    enabled: () => asked.value !== null,
    placeholderData: (before) => before,
  });
}

export const takeReply = (ticketId: number, replyId: number) =>
  data(api.takeCannedReply({ path: { ticket_id: ticketId, reply_id: replyId } }));
