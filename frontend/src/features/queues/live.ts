import type { QueryClient } from "@tanstack/vue-query";

let due: number | undefined;

/** A ticket changed somewhere: queues and their counts are read again, many changes at once. */
export function onLive(event: { name: string }, queries: QueryClient): void {
  if (!event.name.startsWith("ticket.")) return;
  due ??= window.setTimeout(() => {
    due = undefined;
    void queries.invalidateQueries({ queryKey: ["queues"] });
  }, 400);
}
