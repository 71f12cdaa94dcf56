import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { authorised, data } from "@/api/client";
import * as api from "@/api/generated";
import { Problem } from "@/api/problem";
import { keys } from "./queries";

const LINK_LIFE = 4 * 60_000; // of the five minutes the server gives
export const MOST_TEXT = 200 * 1024;

export type Kind = "image" | "pdf" | "text" | "sheet" | "archive" | "other";

/** What a file is, for its icon and its preview; only what the server calls previewable is ever opened. */
export function kindOf(type: string, name: string): Kind {
  if (type.startsWith("image/")) return "image";
  if (type === "application/pdf") return "pdf";
  if (/\.(xlsx?|ods|csv)$/i.test(name)) return "sheet";
  if (type === "text/plain" || /\.(docx?|odt|rtf)$/i.test(name)) return "text";
  return /\.(zip|7z|rar|tar|gz)$/i.test(name) ? "archive" : "other";
}

/** Whether the server hands it out: what the scanner has not cleared opens for its sender only, a virus for nobody. */
export function canOpen(file: api.AttachmentRead, userId: number | undefined): boolean {
  if (file.scan === "INFECTED") return false;
  return file.scan === "NONE" || file.scan === "CLEAN" || file.uploaded_by?.id === userId;
}

export function useAttachments(ticketId: Ref<number>) {
  return useQuery({
    queryKey: ["tickets", ticketId, "attachments"],
    queryFn: ({ signal }) => data(api.attachments({ path: { ticket_id: ticketId.value }, signal })),
  });
}

const linkTo = (id: number, signal?: AbortSignal) =>
  data(api.linkAttachment({ path: { attachment_id: id }, signal }));

/** An address the browser loads a file from by itself. */
export function useLink(id: Ref<number>, enabled: Ref<boolean>) {
  return useQuery({
    queryKey: ["attachments", id, "link"],
    queryFn: ({ signal }) => linkTo(id.value, signal),
    enabled,
    staleTime: LINK_LIFE,
    gcTime: LINK_LIFE,
    refetchOnWindowFocus: false,
  });
}

/** The beginning of a text, as text and nothing else. */
export function useText(file: Ref<api.AttachmentRead>) {
  return useQuery({
    queryKey: ["attachments", computed(() => file.value.id), "text"],
    queryFn: async ({ signal }) => {
      if (!file.value.size) return ""; // of nothing there is no first part
      const headers = { Range: `bytes=0-${MOST_TEXT - 1}` };
      const answer = await authorised(`/api/v1/attachments/${file.value.id}`, { headers, signal });
      if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => null), answer.headers);
      const text = await answer.text();
      return file.value.size > MOST_TEXT ? text.replace(/\uFFFD+$/, "") : text; // half a character at the cut
    },
    staleTime: Infinity,
    gcTime: 60_000,
  });
}

/** Saves a file: the browser fetches it by itself, so the page holds no copy. */
export async function download(file: api.AttachmentRead): Promise<void> {
  const { url } = await linkTo(file.id);
  const link = Object.assign(document.createElement("a"), {
    href: `${url}?download=true`,
    download: file.filename,
  });
  document.body.append(link);
  link.click();
  link.remove();
}

export function useRemoveAttachment(ticketId: Ref<number>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => data(api.removeAttachment({ path: { attachment_id: id } })),
    onSuccess: (_, id) => {
      queries.setQueryData<api.AttachmentPage>(
        keys.attachments(ticketId.value),
        (page) => page && { ...page, items: page.items.filter((a) => a.id !== id) },
      );
    },
    onSettled: async () => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: keys.attachments(ticketId.value) }),
        queries.invalidateQueries({ queryKey: keys.history(ticketId.value) }),
      ]);
    },
  });
}

/** Let the virus scanner look once more at a file it could not judge. */
export function useScanAgain() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => data(api.scanAttachment({ path: { attachment_id: id } })),
    onSuccess: (file) => queries.invalidateQueries({ queryKey: keys.attachments(file.ticket_id) }),
  });
}
