import type { QueryClient } from "@tanstack/vue-query";

let due: number | undefined;

/** Numbers follow what happens, at most every two seconds. */
export function onLive(event: { name: string }, queries: QueryClient): void {
  if (!event.name.startsWith("ticket.") && !event.name.startsWith("approval.")) return;
  due ??= window.setTimeout(() => {
    due = undefined;
    void queries.invalidateQueries({ queryKey: ["dashboard"] });
  }, 2000);
}
