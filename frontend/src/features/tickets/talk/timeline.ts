/** Sorting what happened to a ticket into what people look for. Pure. */
export const KINDS = ["comments", "changes", "approvals", "system"] as const;
export type Kind = (typeof KINDS)[number];

const OF_APPROVAL = new Set([
  "ticket.approved",
  "ticket.rejected",
  "ticket.review_started",
  "ticket.info_requested",
  "ticket.info_provided",
]);

export function kindOf(event: { type: string; actor: unknown }): Kind {
  const [about] = event.type.split(".");
  if (about === "comment" || about === "attachment")
    return event.actor || about === "comment" ? "comments" : "system";
  if (about === "approval" || OF_APPROVAL.has(event.type)) return "approvals";
  return event.actor ? "changes" : "system";
}
