/** Pure: links from a number to exactly the list it counts, tables as CSV, and what a series of days says. */
import type { DashboardRead } from "@/api/generated";

export type Kind = DashboardRead["kind"];
export type Days = "7" | "30" | "90" | "365";
export const DAYS: Days[] = ["7", "30", "90", "365"];
export const OPEN = ["SUBMITTED", "IN_REVIEW", "PENDING_INFO", "APPROVED", "IN_PROGRESS"];
/** Nobody has decided yet. */
export const WAITING = ["SUBMITTED", "IN_REVIEW"];

export const LEVELS = ["RUNNING", "PAUSED", "BREACHED", "MET"] as const;

export type Leaf = { field: string; op: string; value?: string | number | boolean };
export interface Link {
  path: string;
  query: Record<string, string | string[]>;
}

/** The list of tickets narrowed as a number is: by the dashboard's own filters, these, and days (UTC) of an instant. */
export function linkTo(
  narrow: DashboardRead["narrow"],
  filters: Record<string, string[]> = {},
  spans: { field: "created_at" | "completed_at"; from?: string | null; to?: string | null }[] = [],
  more: Leaf[] = [],
): Link {
  const leaves: Leaf[] = [...more];
  for (const { field, from, to } of spans) {
    if (from) leaves.push({ field, op: "gte", value: `${from}T00:00:00Z` });
    if (to) leaves.push({ field, op: "lt", value: `${nextDay(to)}T00:00:00Z` });
  }
  const query: Link["query"] = {};
  for (const [key, ids] of Object.entries(narrow)) query[key] = ids.map(String);
  Object.assign(query, filters);
  if (leaves.length) query.condition = JSON.stringify({ all: leaves });
  return { path: "/tickets", query };
}

/** The open requests that stand so by their service level. */
export const linkToLevel = (narrow: DashboardRead["narrow"], level: string): Link =>
  linkTo(narrow, { status: OPEN }, [], [{ field: "sla_state", op: "eq", value: level }]);

/** From the first of the days a dashboard tells of, in UTC. */
const within = (d: DashboardRead, field: string): Leaf => ({
  field,
  op: "gte",
  value: `${d.trend[0]?.date ?? "1970-01-01"}T00:00:00Z`,
});
const has = (field: string): Leaf => ({ field, op: "is_not_empty" });

/** Of the days a dashboard tells of, exactly the requests a number counts. */
export const linksOf = (d: DashboardRead) => {
  const list = (...leaves: Leaf[]): Link => linkTo(d.narrow, {}, [], leaves);
  const completed = within(d, "completed_at");
  const measured = within(d, "first_response_clock_at");
  const inTime = (field: string, value: boolean): Leaf => ({ field, op: "eq", value });
  return {
    judged: list(completed, has("completed_in_time")),
    kept: list(completed, inTime("completed_in_time", true)),
    late: list(completed, inTime("completed_in_time", false)),
    responseKept: list(measured, inTime("first_response_in_time", true)),
    responseLate: list(measured, inTime("first_response_in_time", false)),
    responseWorking: list(measured),
    response: list(within(d, "first_response_at")),
    resolutionWorking: list(completed, has("resolution_hours")),
    resolution: list(completed, has("submitted_at")),
  };
};

export function nextDay(day: string): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + 1);
  return at.toISOString().slice(0, 10);
}

/** What one can read or do with a chart without seeing it: its table. A row may lead to the list behind it. */
export interface Row {
  cells: (string | number | null)[];
  to?: Link;
  /** Where the numbers lead, each at its cell's place, which have a list of their own. */
  links?: (Link | undefined)[];
}
/** Where a cell leads: to its own list, or to its row's. A number of nothing has no list. */
export function leadsTo(row: Row | undefined, column: number): Link | undefined {
  const own = row?.links?.[column];
  return own ? (row?.cells[column] ? own : undefined) : row?.to;
}
export interface Table {
  columns: string[];
  rows: Row[];
}

/** A table as CSV. No cell is executed by a spreadsheet: what begins like a formula is told as text. */
export function csv(table: Table): string {
  const lines = [table.columns, ...table.rows.map((row) => row.cells)];
  return lines.map((cells) => cells.map(cell).join(",")).join("\r\n") + "\r\n";
}
function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = /^\s*[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The weekdays on which most and fewest come, 0 being Monday; null while they are all alike. */
export function extremes(weekdays: number[]): { most: number; least: number } | null {
  const high = Math.max(...weekdays);
  const low = Math.min(...weekdays);
  if (!weekdays.length || high - low < 0.1 * Math.max(high, 1e-9)) return null;
  return { most: weekdays.indexOf(high), least: weekdays.indexOf(low) };
}

/** Shares of a whole, in percent with no decimals, adding up to 100 as far as there is anything. */
export function shares(values: number[]): number[] {
  const sum = values.reduce((a, b) => a + b, 0);
  if (sum <= 0) return values.map(() => 0);
  const exact = values.map((v) => (v / sum) * 100);
  const whole = exact.map(Math.floor);
  let left = 100 - whole.reduce((a, b) => a + b, 0);
  const order = exact.map((v, n) => [v - Math.floor(v), n] as const).sort((a, b) => b[0] - a[0]);
  for (const [, n] of order) {
    if (left <= 0) break;
    whole[n]! += 1;
    left -= 1;
  }
  return whole;
}
