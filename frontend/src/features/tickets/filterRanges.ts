/** Pure: comparisons of days, distances and amounts (`>=2026-01-01`, `<7d`, `>500`), as typed and as conditions say them. */
import type { Leaf, RangeKey } from "./filterModel";

/** The field of the ticket that a range compares. */
export const FIELD_OF: Record<RangeKey, string> = {
  created: "created_at",
  updated: "updated_at",
  due: "due_date",
  amount: "amount",
};
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const AWAY = /^([+-]?)(\d{1,4})([mhdw])$/;

function midnight(day: string): Date | null {
  const found = DAY.exec(day);
  if (!found) return null;
  const [year, month, date] = found.slice(1).map(Number) as [number, number, number];
  const at = new Date(year, month - 1, date);
  const isReal = at.getFullYear() === year && at.getMonth() === month - 1 && at.getDate() === date;
  return isReal && year >= 1900 && year < 9998 ? at : null;
}
const two = (n: number) => String(n).padStart(2, "0");
const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
function dayAfter(day: string): string {
  const at = midnight(day) as Date;
  return dayOf(new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1));
}

/**
 * The comparisons a typed one stands for, in the one form each has: days are told by `>=` and `<` only (`<=` a day means
 * before the next one, a day alone is both), a distance that points where it always points has no sign. Null when it is
 * none.
 */
export function comparisonsOf(key: RangeKey, typed: string): string[] | null {
  if (typed === "none" || typed === "any") return key === "due" || key === "amount" ? [typed] : null;
  const found = /^(>=|<=|>|<|=|)(.+)$/.exec(typed.trim());
  if (!found) return null;
  const [, op, value] = found as unknown as [string, string, string];
  if (key === "amount") {
    const number = /^(\d{1,12})(\.\d{1,2})?$/.exec(value);
    return number ? [`${op || "="}${value.replace(/^0+(?=\d)/, "")}`] : null;
  }
  if (value === "now") return op === "<" || op === ">" ? [`${op}now`] : null;
  const away = AWAY.exec(value);
  if (away) {
    if (op === "" || op === "=") return null;
    const sign = away[1] || (key === "due" ? "+" : "-");
    const usual = key === "due" ? "+" : "-";
    return [`${op}${sign === usual ? "" : sign}${Number(away[2])}${away[3]}`];
  }
  if (!midnight(value)) return null;
  if (op === ">=" || op === "<") return [`${op}${value}`];
  if (op === ">") return [`>=${dayAfter(value)}`];
  if (op === "<=") return [`<${dayAfter(value)}`];
  return [`>=${value}`, `<${dayAfter(value)}`];
}

const OPS: Record<string, string> = { ">=": "gte", "<=": "lte", ">": "gt", "<": "lt", "=": "eq" };
const SIGNS = Object.fromEntries(Object.entries(OPS).map(([sign, op]) => [op, sign]));

/** A comparison as the condition says it. */
export function leafOf(key: RangeKey, comparison: string): Leaf {
  const field = FIELD_OF[key];
  if (comparison === "none") return { field, op: "is_empty" };
  if (comparison === "any") return { field, op: "is_not_empty" };
  const [, sign, value] = /^(>=|<=|>|<|=)(.+)$/.exec(comparison) as unknown as [string, string, string];
  const op = OPS[sign] as string;
  if (key === "amount" || value === "now") return { field, op, value };
  const at = midnight(value);
  if (at) return { field, op, value: at.toISOString() };
  return { field, op, value: /^[+-]/.test(value) ? value : `${key === "due" ? "+" : "-"}${value}` };
}

/** The comparison a part of a condition is, in the one form each has; null when it is none. */
export function comparisonOf(key: RangeKey, leaf: Leaf): string | null {
  if (leaf.op === "is_empty") return key === "due" || key === "amount" ? "none" : null;
  if (leaf.op === "is_not_empty") return key === "due" || key === "amount" ? "any" : null;
  const sign = SIGNS[leaf.op];
  if (!sign || typeof leaf.value !== "string") return null;
  let value = leaf.value;
  if (key !== "amount" && /T/.test(value)) {
    const day = dayOf(new Date(value));
    if (midnight(day)?.toISOString() !== value) return null;
    value = day;
  }
  const all = comparisonsOf(key, sign + value);
  return all?.length === 1 && JSON.stringify(leafOf(key, all[0] as string)) === JSON.stringify(leaf)
    ? (all[0] as string)
    : null;
}
