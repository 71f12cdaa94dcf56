/** Pure: what two people changed of one ticket, and what becomes of it. */
import type { PersonRef } from "@/api/generated";

export type Values = Record<string, unknown>;

/** A field that somebody else changed since one read it (the problem of a 412). */
export interface Change {
  field: string;
  value: unknown;
  by: PersonRef | null;
  at: string;
}

/** A field that both changed: the value one wrote, and the one that stands there now. */
export interface Clash {
  field: string;
  mine: unknown;
  theirs: unknown;
  by: PersonRef | null;
  at: string;
}

export type Choice = "mine" | "theirs";

const CUSTOM = "custom_fields";

const isRecord = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether two values are the same to a reader; fields in another order are. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));
}

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (!isRecord(value)) return value ?? null;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, ordered(value[key])]),
  );
}

/** The fields of a form stand for themselves: `custom_fields.budget_code`. */
export function flat(values: Values): Values {
  const found: Values = {};
  for (const [field, value] of Object.entries(values)) {
    if (field === CUSTOM && isRecord(value)) {
      for (const [key, inner] of Object.entries(value)) found[`${CUSTOM}.${key}`] = inner;
    } else found[field] = value;
  }
  return found;
}

/** What of a form's values differs from how it was read. */
export function changedOf(read: Values, written: Values): Values {
  return Object.fromEntries(Object.entries(written).filter(([field, value]) => !same(value, read[field])));
}

/**
 * Where what one changed (`mine`, from how it was `read`) meets what others changed to another value since. Where both
 * wrote the same, or only one of them wrote, nothing is lost either way.
 */
export function clashes(read: Values, mine: Values, changed: Change[]): Clash[] {
  const before = flat(read);
  const wanted = flat(mine);
  const found: Clash[] = [];
  for (const change of changed) {
    const theirs = flat({ [change.field]: change.value });
    const fields =
      change.field === CUSTOM
        ? Object.keys(wanted).filter((field) => field.startsWith(`${CUSTOM}.`))
        : [change.field];
    for (const field of fields) {
      if (!(field in wanted)) continue;
      const now = theirs[field];
      if (same(wanted[field], before[field]) || same(now, before[field]) || same(now, wanted[field]))
        continue;
      found.push({ field, mine: wanted[field], theirs: now ?? null, by: change.by, at: change.at });
    }
  }
  return found;
}

/**
 * What is to be sent in the end: one's own values, but for the fields where the other's were chosen, and with what
 * others wrote into fields of the form that one left alone.
 */
export function settled(
  read: Values,
  mine: Values,
  changed: Change[],
  chosen: Record<string, Choice>,
): Values {
  const others = changed.find((c) => c.field === CUSTOM)?.value;
  const found: Values = {};
  for (const [field, value] of Object.entries(mine)) {
    if (field === CUSTOM && isRecord(value)) {
      const before = isRecord(read[CUSTOM]) ? read[CUSTOM] : {};
      const base = isRecord(others) ? others : before;
      const fields = { ...base };
      for (const key of new Set([...Object.keys(before), ...Object.keys(value)])) {
        const isMine = !same(value[key], before[key]) && chosen[`${CUSTOM}.${key}`] !== "theirs";
        if (!isMine) continue;
        if (key in value) fields[key] = value[key];
        else Reflect.deleteProperty(fields, key);
      }
      if (!same(fields, base)) found[CUSTOM] = fields;
    } else if (chosen[field] !== "theirs") found[field] = value;
  }
  return found;
}
