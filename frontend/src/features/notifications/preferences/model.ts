/** Pure: how somebody wants to be told, as it is edited, and what that comes to in words. */
import type { OwnChannel, PreferencesRead, QuietHours } from "@/api/generated";

export type Digest = "HOURLY" | "DAILY";
export const EMERGENCY = "emergency";

/** Events as the screens group them; what the server adds and we do not know yet comes last. */
export const GROUPS: { key: string; events: string[] }[] = [
  {
    key: "approvals",
    events: [
      "emergency",
      "approval.requested",
      "approval.reminded",
      "approval.escalated",
      "approval.question",
      "approval.decided",
      "approval.review",
    ],
  },
  {
    key: "requests",
    events: [
      "ticket.submitted",
      "ticket.assigned",
      "ticket.status",
      "sla.warning",
      "sla.breach",
      "ticket.commented",
      "comment.mentioned",
      "ticket.watching",
      "view.news",
    ],
  },
  { key: "other", events: ["report", "delegation", "role", "account", "system"] },
];

/** The events there are, in their groups; no group is empty, and none is left out. */
export function grouped(events: string[]): { key: string; events: string[] }[] {
  const known = new Set(GROUPS.flatMap((g) => g.events));
  const rest = events.filter((e) => !known.has(e));
  return GROUPS.map((g) => ({
    key: g.key,
    events: [...g.events.filter((e) => events.includes(e)), ...(g.key === "other" ? rest : [])],
  })).filter((g) => g.events.length);
}

/** The letters a word of ours has for an event: `ticket.commented` is `ticket_commented`. */
export const wordOf = (event: string): string => event.replace(/\./g, "_");

export interface Draft {
  events: Record<string, Record<string, boolean>>;
  digests: Record<string, Digest>;
  quiet_hours: QuietHours | null;
  timezone: string;
  language: PreferencesRead["language"];
}

export function draftOf(read: PreferencesRead): Draft {
  return {
    events: Object.fromEntries(Object.entries(read.events).map(([event, row]) => [event, { ...row }])),
    digests: { ...read.digests },
    quiet_hours: read.quiet_hours && { ...read.quiet_hours, days: [...read.quiet_hours.days] },
    timezone: read.timezone,
    language: read.language,
  };
}

const sorted = (value: unknown): unknown =>
  value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, inner]) => [key, sorted(inner)]),
      )
    : value;

export const isSame = (a: unknown, b: unknown): boolean =>
  JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

export type State = "on" | "off" | "always";

/** How one switch stands. */
export function stateOf(
  draft: Pick<Draft, "events">,
  mandatory: Record<string, string[]>,
  event: string,
  channel: string,
): State {
  if (mandatory[event]?.includes(channel)) return "always";
  return draft.events[event]?.[channel] ? "on" : "off";
}

/** What somebody gets of an event: the channels at once, and when the mail comes as one of several. */
export interface Gets {
  atOnce: string[];
  digest: Digest | null;
  /** Chosen, but the channel does not reach them. */
  unreached: string[];
  /** Quiet hours keep something of it back. */
  waits: boolean;
}

export function gets(
  draft: Draft,
  mandatory: Record<string, string[]>,
  channels: OwnChannel[],
  event: string,
): Gets {
  const wanted = channels.filter((c) => stateOf(draft, mandatory, event, c.key) !== "off");
  const reached = wanted.filter((c) => c.is_ready).map((c) => c.key);
  const digest = event !== EMERGENCY && reached.includes("email") ? (draft.digests[event] ?? null) : null;
  const atOnce = reached.filter((key) => !(digest && key === "email"));
  return {
    atOnce,
    digest,
    unreached: wanted.filter((c) => !c.is_ready).map((c) => c.key),
    waits: draft.quiet_hours !== null && event !== EMERGENCY && atOnce.some((key) => key !== "in_app"),
  };
}

/** Quiet hours as one begins with them: nights. */
export const NIGHTS: QuietHours = { starts: "22:00", ends: "07:00", days: [0, 1, 2, 3, 4, 5, 6] };

/** Every quarter of an hour, as `22:15`. */
export const CLOCK: string[] = Array.from(
  { length: 96 },
  (_, n) => `${String(Math.floor(n / 4)).padStart(2, "0")}:${String((n % 4) * 15).padStart(2, "0")}`,
);

/** The quarters, and what is kept even when it is none of them. */
export const clockWith = (kept: string): string[] => [...new Set([...CLOCK, kept])].sort();

export function toggled(days: number[], day: number): number[] {
  return days.includes(day) ? days.filter((d) => d !== day) : [...days, day].sort();
}
