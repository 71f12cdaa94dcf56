/** Pure: a delegation as it is written in the form, and as it is sent. */
import type { DelegationRead } from "@/api/generated";
import type { Json } from "@/shared/conditions/conditions";
import type { windowOf } from "@/features/directory";

export interface Draft {
  delegator: number | null;
  delegate: number | null;
  from: string;
  to: string;
  fromTime: string;
  toTime: string;
  reason: string;
  isLimited: boolean;
  amount: string;
  includeWaiting: boolean;
}

const two = (n: number) => String(n).padStart(2, "0");
const dayOf = (at: Date) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
const timeOf = (at: Date) =>
  at.getHours() || at.getMinutes() ? `${two(at.getHours())}:${two(at.getMinutes())}` : "";

export const empty = (): Draft => ({
  delegator: null,
  delegate: null,
  from: "",
  to: "",
  fromTime: "",
  toTime: "",
  reason: "",
  isLimited: false,
  amount: "",
  includeWaiting: true,
});

/** The form of a delegation that is there. An end at midnight is the end of the day before. */
export function draftOf(row: DelegationRead): Draft {
  const starts = new Date(row.starts_at);
  const ends = new Date(row.ends_at);
  const toTime = timeOf(ends);
  if (!toTime) ends.setDate(ends.getDate() - 1);
  return {
    ...empty(),
    delegator: row.delegator?.id ?? null,
    delegate: row.delegate?.id ?? null,
    from: dayOf(starts),
    to: dayOf(ends),
    fromTime: timeOf(starts),
    toTime,
    reason: row.reason ?? "",
    isLimited: row.condition !== null || row.amount_up_to !== null,
    amount: row.amount_up_to ?? "",
    includeWaiting: row.include_waiting,
  };
}

/** What is sent. Of one that has begun the beginning stays as it was, to the instant. */
export function termsOf(
  draft: Draft,
  condition: Json,
  window: NonNullable<ReturnType<typeof windowOf>>,
  begun?: string,
) {
  return {
    delegate_id: draft.delegate ?? 0,
    starts_at: begun ?? window.starts_at,
    ends_at: window.ends_at,
    reason: draft.reason.trim(),
    ...scopeOf(draft, condition),
    include_waiting: draft.includeWaiting,
  };
}

/** What it covers; nothing is said where it covers everything. */
export function scopeOf(draft: Draft, condition: Json) {
  return {
    condition: draft.isLimited ? (condition as Record<string, unknown> | null) : null,
    amount_up_to: draft.isLimited && draft.amount.trim() ? draft.amount.trim() : null,
  };
}

/** The last day of a window as people say it, with the time where it does not end with a day. */
export function untilOf(
  ends_at: string,
  say: { day: (at: Date) => string; time: (at: Date) => string },
): string {
  const ends = new Date(ends_at);
  if (timeOf(ends)) return `${say.day(ends)}, ${say.time(ends)}`;
  ends.setDate(ends.getDate() - 1);
  return say.day(ends);
}
