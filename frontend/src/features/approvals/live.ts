import type { QueryClient } from "@tanstack/vue-query";
import { flowKey, queueKey, reviewsKey, summaryKey } from "./queries";

let due: number | undefined;

/** Approvals moved somewhere: the queue and the open flow are read again. */
export function onLive(event: { name: string; data: Record<string, unknown> }, queries: QueryClient): void {
  if (!event.name.startsWith("approval.") && event.name !== "ticket.updated") return;
  const id = event.data.ticket_id;
  if (typeof id === "number") {
    void queries.invalidateQueries({ queryKey: flowKey(id) });
    void queries.invalidateQueries({ queryKey: ["approvals", "proof", id] });
  }
  const what = String(event.data.type);
  if (/^approval\.(glass|review)/.test(what)) void queries.invalidateQueries({ queryKey: reviewsKey });
  if (what === "approval.seen") return; // nobody's queue is another for it
  due ??= window.setTimeout(() => {
    due = undefined;
    void queries.invalidateQueries({ queryKey: queueKey });
    void queries.invalidateQueries({ queryKey: summaryKey });
  }, 150);
}
