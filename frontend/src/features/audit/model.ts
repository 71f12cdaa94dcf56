import type { LocationQuery } from "vue-router";

/** What actions begin with, in the order they are offered. */
export const FAMILIES = [
  "auth",
  "ticket",
  "approval",
  "comment",
  "attachment",
  "user",
  "role",
  "department",
  "team",
  "workflow",
  "ticket_type",
  "routing",
  "notification",
  "channel",
  "mailbox",
  "import",
  "audit",
  "audit_stream",
  "evidence",
  "system",
] as const;
export const CHANNELS = ["web", "api", "email", "slack", "teams", "sms", "system", "console"] as const;

export interface Filters {
  q?: string;
  ticket?: string;
  address?: string;
  family?: string;
  channel?: string;
  actor_id?: number;
  object_type?: string;
  object_id?: number;
  since?: string;
  until?: string;
}

const word = (value: unknown) =>
  typeof value === "string" && /^[a-z_]{1,64}$/.test(value) ? value : undefined;
const line = (shortest: number, longest: number, allowed: RegExp) => (value: unknown) => {
  const said = typeof value === "string" ? value.trim().slice(0, longest) : "";
  return said.length >= shortest && allowed.test(said) ? said : undefined;
};

const NO_CONTROLS = /^[^\x00-\x1f\x7f]+$/;
const words = line(3, 200, NO_CONTROLS);
const called = line(1, 40, NO_CONTROLS);
const address = line(3, 45, /^[0-9a-fA-F.:]+$/);
const number = (value: unknown) => {
  const found = typeof value === "string" && /^[1-9]\d{0,17}$/.test(value) ? Number(value) : NaN;
  return Number.isSafeInteger(found) ? found : undefined;
};
const day = (value: unknown) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(Date.parse(value))
    ? value
    : undefined;

/** The filters that stand in the address; what is not one is left out. */
export function filtersOf(query: LocationQuery): Filters {
  const found: Filters = {
    q: words(query.q),
    ticket: called(query.ticket),
    address: address(query.address),
    family: word(query.family),
    channel: word(query.channel),
    actor_id: number(query.actor_id),
    object_type: word(query.object_type),
    object_id: number(query.object_id),
    since: day(query.since),
    until: day(query.until),
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** The same as the server is asked: days as the moments they begin and end here. */
export function askedOf({ since, until, ...rest }: Filters) {
  return {
    ...rest,
    from: since && new Date(`${since}T00:00:00`).toISOString(),
    to: until && new Date(`${until}T23:59:59.999`).toISOString(),
  };
}

/** What letters of an action stand for, where they are no words. */
const SHORT: Record<string, string> = {
  auth: "sign-in",
  oauth: "OAuth",
  scim: "SCIM",
  sla: "SLA",
  sms: "SMS",
};

/** `ticket.review_started` as people read it. */
export function inWords(action: string): string {
  const said = action
    .split(/[._]/)
    .map((word) => SHORT[word] ?? word)
    .join(" ");
  return said.charAt(0).toUpperCase() + said.slice(1);
}

export interface Line {
  name: string;
  before?: string;
  after: string;
}

const shown = (value: unknown): string =>
  value === null || value === undefined || value === ""
    ? "–"
    : typeof value === "object"
      ? JSON.stringify(value)
      : String(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What an event says, a line each: what changed with before and after, then the rest. */
export function linesOf(data: Record<string, unknown>): Line[] {
  const lines: Line[] = [];
  const { before, after, changes, ...rest } = data;
  if (isRecord(before) && isRecord(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      lines.push({ name: inWords(name), before: shown(before[name]), after: shown(after[name]) });
  } else {
    if (before !== undefined) rest.before = before;
    if (after !== undefined) rest.after = after;
  }
  if (isRecord(changes)) {
    for (const [name, pair] of Object.entries(changes))
      lines.push(
        Array.isArray(pair) && pair.length === 2
          ? { name: inWords(name), before: shown(pair[0]), after: shown(pair[1]) }
          : { name: inWords(name), after: shown(pair) },
      );
  } else if (changes !== undefined) rest.changes = changes;
  for (const [name, value] of Object.entries(rest)) {
    if (name.startsWith("old_") && `new_${name.slice(4)}` in rest) continue;
    const twin = name.startsWith("new_") ? `old_${name.slice(4)}` : "";
    lines.push(
      twin && twin in rest
        ? { name: inWords(name.slice(4)), before: shown(rest[twin]), after: shown(value) }
        : { name: inWords(name), after: shown(value) },
    );
  }
  return lines;
}

/** Where the thing an event is about is seen; nothing for what has no page. */
export function placeOf(type: string, id: number): string | undefined {
  if (type === "ticket" || type === "evidence") return `/tickets/${id}`;
  if (type === "user" && id > 0) return `/settings/people/${id}`;
  return undefined;
}
