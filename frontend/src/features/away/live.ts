import type { QueryClient } from "@tanstack/vue-query";

/** A delegation was made, began, changed or ended: who stands in for whom is read again, and what waits with it. */
export function onLive(event: { name: string; data: Record<string, unknown> }, queries: QueryClient): void {
  if (event.name !== "notification.created" || !String(event.data.kind).startsWith("delegation.")) return;
  for (const key of ["standing", "delegations", "approvals"])
    void queries.invalidateQueries({ queryKey: [key] });
}
