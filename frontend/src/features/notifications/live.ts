import type { QueryClient } from "@tanstack/vue-query";

/** A new notice: the bell counts it. */
export function onLive(event: { name: string }, queries: QueryClient): void {
  if (event.name === "notification.created") void queries.invalidateQueries({ queryKey: ["notifications"] });
}
