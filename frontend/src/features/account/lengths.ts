/** Lengths of time to choose from, in minutes, and how they are said. Pure. */
import { number } from "@/shared/lib/format";

const HOUR = 60;
const DAY = 24 * HOUR;
export const IDLE = [5, 15, 30, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY];
export const ABSOLUTE = [
  30,
  HOUR,
  4 * HOUR,
  8 * HOUR,
  12 * HOUR,
  DAY,
  3 * DAY,
  7 * DAY,
  14 * DAY,
  30 * DAY,
  90 * DAY,
];

/** `30 minutes`, `12 hours`, `7 days`: in the largest unit that fits without a rest. */
export function length(minutes: number): string {
  const [unit, size] =
    minutes % DAY === 0 ? ["day", DAY] : minutes % HOUR === 0 ? ["hour", HOUR] : ["minute", 1];
  return number(minutes / (size as number), { style: "unit", unit: unit as string, unitDisplay: "long" });
}

/** These to choose from, with the one in force among them. */
export function lengths(known: readonly number[], now: number): { label: string; value: number }[] {
  const all = now > 0 && !known.includes(now) ? [...known, now].sort((a, b) => a - b) : known;
  return all.map((value) => ({ label: length(value), value }));
}
