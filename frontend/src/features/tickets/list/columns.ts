/** Pure: the columns a list can have, in which order, and how wide. */

export interface Column {
  key: string;
  /** Pixels; the title takes what is left over. */
  width: number;
  isRight?: boolean;
}
export const COLUMNS: Column[] = [
  { key: "number", width: 144 },
  { key: "title", width: 0 },
  { key: "status", width: 116 },
  { key: "priority", width: 92 },
  { key: "type", width: 140 },
  { key: "amount", width: 110, isRight: true },
  { key: "requester", width: 152 },
  { key: "assignee", width: 144 },
  { key: "team", width: 132 },
  { key: "department", width: 132 },
  { key: "tags", width: 140 },
  { key: "due", width: 104, isRight: true },
  { key: "sla", width: 116 },
  { key: "updated", width: 104, isRight: true },
  { key: "created", width: 104, isRight: true },
];
export const USUAL = ["number", "title", "status", "priority", "amount", "requester", "assignee", "created"];
export const NARROWEST = 56;
export const WIDEST = 480;
const KNOWN = new Map(COLUMNS.map((c) => [c.key, c]));

/** The columns of some keys, each once; unknown ones are left out, and a list always has its titles. */
export function columnsOf(keys: readonly string[]): Column[] {
  const wanted = [...new Set(keys)].filter((key) => KNOWN.has(key));
  if (!wanted.length) return columnsOf(USUAL);
  if (!wanted.includes("title")) wanted.splice(wanted[0] === "number" ? 1 : 0, 0, "title");
  return wanted.map((key) => KNOWN.get(key) as Column);
}

/** Whether a view's columns are those shown: what it names beyond, such as a field its form lost since, is nobody's change. */
export const areShown = (kept: readonly string[], shown: readonly string[]): boolean =>
  !kept.length ||
  columnsOf(kept)
    .map((c) => c.key)
    .join() === shown.join();

/** The keys with one moved by so many places. */
export function moved(keys: readonly string[], key: string, by: number): string[] {
  const at = keys.indexOf(key);
  const to = Math.max(0, Math.min(keys.length - 1, at + by));
  if (at < 0) return [...keys];
  const rest = keys.filter((k) => k !== key);
  rest.splice(to, 0, key);
  return rest;
}

/** A width within what can be read. */
export const fit = (width: number): number => Math.round(Math.max(NARROWEST, Math.min(WIDEST, width)));

/**
 * Which of the columns there is room for beside a title one can read: from the right, those that say least leave first.
 */
const FIRST_TO_LEAVE = [
  "department",
  "team",
  "type",
  "tags",
  "updated",
  "requester",
  "assignee",
  "amount",
  "due",
  "created",
  "priority",
  "number",
];
export function roomFor(columns: readonly Column[], widths: Record<string, number>, room: number): Column[] {
  const left = [...columns];
  const need = () => left.reduce((sum, c) => sum + (c.key === "title" ? 200 : (widths[c.key] ?? c.width)), 0);
  for (const key of FIRST_TO_LEAVE) {
    if (need() <= room) break;
    const at = left.findIndex((c) => c.key === key);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
}
