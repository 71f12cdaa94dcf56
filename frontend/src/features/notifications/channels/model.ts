/** Pure: a channel's settings as they are filled in, and the log's filters as they stand in an address. */
import type { ChannelRead, FieldRead } from "@/api/generated";
import type { Filters } from "./queries";

export type Value = string | boolean;
export type Values = Record<string, Value>;

/** As a form begins: secrets are empty, for what is kept is never told. */
export function valuesOf(fields: FieldRead[]): Values {
  return Object.fromEntries(
    fields.map((f) => [f.key, f.kind === "boolean" ? f.value === true : String(f.value ?? "")]),
  );
}

/** What to send: what differs. An emptied setting is taken away; an empty secret stays as it is. */
export function changesOf(channel: ChannelRead, values: Values): Record<string, Value | null> {
  const before = valuesOf(channel.fields);
  return Object.fromEntries(
    channel.fields
      .filter((f) => values[f.key] !== before[f.key])
      .map((f) => [f.key, values[f.key] === "" ? null : (values[f.key] ?? null)]),
  );
}

/** What is still missing to switch it on. */
export function lackingOf(channel: ChannelRead, values: Values): string[] {
  return channel.fields
    .filter((f) => f.required && f.kind !== "boolean" && !values[f.key] && !(f.kind === "secret" && f.is_set))
    .map((f) => f.key);
}

const TEXTS = ["channel", "kind", "ticket", "q", "since", "until"] as const;
const STATES = ["PENDING", "SENT", "FAILED"] as const;

/** Filters as an address has them; what means nothing is left out. */
export function filtersOf(query: Record<string, unknown>): Filters {
  const found: Filters = {};
  for (const name of TEXTS) {
    const value = query[name];
    if (typeof value === "string" && value.trim()) found[name] = value.trim().slice(0, 200);
  }
  const status = STATES.find((s) => s === query.status);
  if (status) found.status = status;
  const person = Number(query.user_id);
  if (Number.isSafeInteger(person) && person > 0) found.user_id = person;
  return found;
}

/** Days as one picks them, as instants the server takes: from the beginning of the first to the end of the last. */
export function askedOf(filters: Filters): Filters {
  const start = (day: string, plus: number) => {
    const [y, m, d] = day.split("-").map(Number);
    const at = new Date(y ?? NaN, (m ?? NaN) - 1, (d ?? NaN) + plus);
    return Number.isNaN(at.getTime()) ? undefined : at.toISOString();
  };
  return {
    ...filters,
    since: filters.since && start(filters.since, 0),
    until: filters.until && start(filters.until, 1),
  };
}

/** The kinds of messages there are, as the log is filtered by them. */
export const KINDS = [
  "approval.requested",
  "approval.requested_for",
  "approval.reminded",
  "approval.escalated",
  "approval.decided_for_you",
  "approval.info_requested",
  "approval.info_answered",
  "approval.glass_broken",
  "approval.review_reminded",
  "approval.review_climbed",
  "approval.review_confirmed",
  "approval.review_objected",
  "approval.settled",
  "ticket.asked_for_you",
  "ticket.approved",
  "ticket.rejected",
  "ticket.assigned",
  "ticket.completed",
  "ticket.reopened",
  "ticket.merged",
  "ticket.opened",
  "ticket.watching",
  "ticket.due_soon",
  "ticket.overdue",
  "sla.warned",
  "sla.breached",
  "comment.created",
  "comment.mentioned",
  "report.export",
  "report.export_failing",
  "report.export_paused",
  "view.matched",
  "delegation.created",
  "delegation.begun",
  "delegation.changed",
  "delegation.cancelled",
  "role.given",
  "role.taken",
  "role.ending",
  "role.ended",
  "role.change_asked",
  "role.change_answered",
  "team.ticket",
  "address.changed",
  "account.invited",
  "account.password_set",
  "account.factor_added",
  "account.factor_removed",
  "account.codes_made",
  "account.code_used",
  "account.factors_reset",
  "account.token_made",
  "account.provider_linked",
  "account.username_changed",
  "account.new_device",
  "account.session_over",
  "account.reset",
  "account.reset_elsewhere",
  "phone.added",
  "phone.code",
  "phone.codes_void",
  "sms.answer",
  "channel.failed",
  "channel.tested",
];
