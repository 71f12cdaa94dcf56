/**
 * Pure: whether a record fulfils a condition, the same answer the server gives (`kernel/conditions/evaluate.py`); both
 * are held to `vectors.json`. Nothing is never equal, above or below anything: a comparison with an empty field is
 * false, `ne` and `not_in` are true.
 */
import type { Json, Kind } from "./conditions";

export type Kinds = Record<string, Kind>;

// Letters whose case is one to one, as the server folds them whatever its locale.
const FOLDED = new Map<string, string>();
for (let code = 0; code < 0x530; code += 1) {
  const letter = String.fromCharCode(code);
  const small = letter.toLowerCase();
  if (small.length === 1 && small !== letter) FOLDED.set(letter, small);
}
/** Text without the difference of upper and lower case (Latin, Greek, Cyrillic, Armenian capitals). */
export const fold = (text: string): string =>
  [...text].map((letter) => FOLDED.get(letter) ?? letter).join("");

/** A decimal as a whole number and how many of its digits stand behind the point: never a float. */
type Decimal = [digits: bigint, behind: number];

function decimalOf(text: string): Decimal | null {
  const found = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text);
  if (!found) return null;
  const behind = (found[3]?.length ?? 0) - Number(found[4] ?? 0);
  const digits = BigInt(`${found[1] ?? ""}${found[2] ?? ""}${found[3] ?? ""}`);
  return behind < 0 ? [digits * 10n ** BigInt(-behind), 0] : [digits, behind];
}
function difference([a, n]: Decimal, [b, m]: Decimal): number {
  const most = Math.max(n, m);
  const rest = a * 10n ** BigInt(most - n) - b * 10n ** BigInt(most - m);
  return rest < 0n ? -1 : rest > 0n ? 1 : 0;
}

/** An instant in millionths of a second, as finely as the server keeps it. */
function microsOf(text: string): bigint | null {
  const found = /^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/i.exec(text);
  const whole = found ? Date.parse(`${found[1]?.replace(" ", "T")}${found[3]?.toUpperCase()}`) : Number.NaN;
  if (Number.isNaN(whole)) return null;
  return BigInt(whole) * 1000n + BigInt((found?.[2] ?? "").slice(0, 6).padEnd(6, "0"));
}

const AMOUNT = /^[0-9]{1,12}(\.[0-9]{1,2})?$/;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value as it is compared: a decimal, an instant, text and so on; null when it is empty or of another kind. */
function read(value: unknown, kind: Kind): unknown {
  if (value === null || value === undefined || value === "") return null;
  switch (kind) {
    case "number":
      // Money is compared by its amount, whatever its currency.
      if (isObject(value))
        return typeof value.amount === "string" && AMOUNT.test(value.amount) ? decimalOf(value.amount) : null;
      return typeof value === "number" ? decimalOf(String(value)) : null;
    case "id":
      return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 1e18 ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "list":
      return Array.isArray(value) && value.length ? value : null;
    case "instant":
      return typeof value === "string" ? microsOf(value) : null;
    default:
      return typeof value === "string" ? value : null;
  }
}

/** The value of a comparison, in the same shape. */
function wantedOf(value: unknown, kind: Kind): unknown {
  if (kind === "number") return decimalOf(String(value));
  if (kind === "instant") return microsOf(String(value));
  return value;
}

function orderOf(value: unknown, wanted: unknown, kind: Kind): number {
  if (kind === "number") return difference(value as Decimal, wanted as Decimal);
  const [a, b] = [value as string | bigint, wanted as string | bigint];
  return a < b ? -1 : a > b ? 1 : 0;
}
const isSame = (value: unknown, wanted: unknown, kind: Kind): boolean =>
  kind === "number"
    ? value !== null && difference(value as Decimal, wanted as Decimal) === 0
    : value === wanted;

function leaf(op: string, raw: unknown, wanted: Json | undefined, kind: Kind): boolean {
  const value = read(raw, kind);
  if (op === "is_empty") return value === null;
  if (op === "is_not_empty") return value !== null;
  if (op === "in" || op === "not_in") {
    const several = Array.isArray(wanted) ? wanted : [];
    const isIn = value !== null && several.some((w) => isSame(value, wantedOf(w, kind), kind));
    return isIn === (op === "in");
  }
  const other = wantedOf(wanted, kind);
  if (op === "ne") return !isSame(value, other, kind);
  if (value === null) return false;
  switch (op) {
    case "eq":
      return isSame(value, other, kind);
    case "lt":
      return orderOf(value, other, kind) < 0;
    case "lte":
      return orderOf(value, other, kind) <= 0;
    case "gt":
      return orderOf(value, other, kind) > 0;
    case "gte":
      return orderOf(value, other, kind) >= 0;
    case "starts_with":
      return fold(String(value)).startsWith(fold(String(wanted)));
    case "contains":
      return kind === "list"
        ? (value as unknown[]).includes(wanted)
        : fold(String(value)).includes(fold(String(wanted)));
    default:
      return false;
  }
}

/** Whether the record fulfils the condition; null means always. `kinds` say what sort of value each field holds. */
export function holds(condition: Json | undefined, record: Record<string, unknown>, kinds: Kinds): boolean {
  if (!isObject(condition)) return condition === null || condition === undefined;
  const { all, any, not, field, op, value } = condition as Record<string, Json>;
  if (Array.isArray(all)) return all.every((part) => holds(part, record, kinds));
  if (Array.isArray(any)) return any.some((part) => holds(part, record, kinds));
  if ("not" in condition) return !holds(not, record, kinds);
  const kind = typeof field === "string" ? kinds[field] : undefined;
  return kind !== undefined && leaf(String(op), record[String(field)], value, kind);
}

/** The fields a condition looks at. */
export function fieldsIn(condition: Json | undefined): string[] {
  if (!isObject(condition)) return [];
  const { all, any, not, field } = condition as Record<string, Json>;
  if (typeof field === "string") return [field];
  const parts = [all, any, not].flat();
  return parts.flatMap((part) => fieldsIn(part));
}
