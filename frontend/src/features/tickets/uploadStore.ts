import { useQueryClient } from "@tanstack/vue-query";
import { defineStore } from "pinia";
import { watch } from "vue";
import { postForm } from "@/api/client";
import type { AttachmentPage, AttachmentRead } from "@/api/generated";
import { useSession } from "@/stores/session";
import { keys } from "./queries";
import { uploadQueue, type Send, type UploadQueue } from "./uploads";

const send: Send<AttachmentRead> = ({ file, visibility, key }, ticketId, how) => {
  const form = new FormData();
  form.append("visibility", visibility);
  form.append("file", file, file.name);
  return postForm(`/api/v1/tickets/${ticketId}/attachments`, form, { ...how, key });
};

/** The queues of tickets, and of requests still being written (by draft): they outlive the part that shows them. */
export const useUploads = defineStore("uploads", () => {
  const queries = useQueryClient();
  const session = useSession();
  const queues = new Map<number | string, UploadQueue>();

  function arrived(file: AttachmentRead, ticketId: number): void {
    queries.setQueryData<AttachmentPage>(
      keys.attachments(ticketId),
      (page) => page && { ...page, items: [...page.items.filter((a) => a.id !== file.id), file] },
    );
    void queries.invalidateQueries({ queryKey: keys.attachments(ticketId) });
    void queries.invalidateQueries({ queryKey: keys.history(ticketId) });
  }

  function of(place: number | string): UploadQueue {
    let queue = queues.get(place);
    if (!queue) {
      queue = uploadQueue(send, arrived);
      if (typeof place === "number") void queue.start(place);
      queues.set(place, queue);
    }
    return queue;
  }

  /** A request got its ticket: its files go there. Resolves when none is on its way, with whether all have arrived. */
  function start(place: string, ticketId: number): Promise<boolean> {
    const queue = of(place);
    queues.delete(place);
    queues.set(ticketId, queue);
    return queue.start(ticketId);
  }

  watch(
    () => session.user?.id,
    () => {
      for (const queue of queues.values()) queue.cancelAll();
      queues.clear();
    },
  );
  return { of, start };
});
