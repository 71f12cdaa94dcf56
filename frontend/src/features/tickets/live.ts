import type { QueryClient } from "@tanstack/vue-query";
import { keys } from "./queries";

/** Whoever shows rows of tickets and wants to know which changed. */
const listeners = new Set<(ticketId: number) => void>();
export function onTicketChange(listen: (ticketId: number) => void): () => void {
  listeners.add(listen);
  return () => listeners.delete(listen);
}

/** Rows do not jump: an open list is told and mends itself, one that nobody looks at is read again when it is opened. */
export function tellLists(queries: QueryClient, ticketId: number): void {
  soon(queries, ["tickets", "count"], 3000);
  soon(queries, ["saved-views", "counts"], 3000);
  void queries.invalidateQueries({ queryKey: keys.lists, refetchType: "none" });
  for (const listen of listeners) listen(ticketId);
}

const late = new Map<string, number>();

/** Many events in a moment are one look at the server. */
function soon(queries: QueryClient, key: readonly unknown[], after: number): void {
  const name = JSON.stringify(key);
  if (late.has(name)) return;
  late.set(
    name,
    window.setTimeout(() => {
      late.delete(name);
      void queries.invalidateQueries({ queryKey: key });
    }, after),
  );
}

/** A ticket changed somewhere: what is open of it is read again, lists mend their rows. */
export function onLive(event: { name: string; data: Record<string, unknown> }, queries: QueryClient): void {
  const id = event.data.ticket_id;
  if (typeof id !== "number") return;
  if (event.name.startsWith("comment.")) soon(queries, keys.comments(id), 50);
  if (event.name === "attachment.updated") {
    soon(queries, keys.attachments(id), 50);
    soon(queries, keys.history(id), 50);
    return;
  }
  if (event.name !== "notification.created") {
    soon(queries, keys.one(id), 50);
    soon(queries, keys.waiting, 400);
    tellLists(queries, id);
  }
}
