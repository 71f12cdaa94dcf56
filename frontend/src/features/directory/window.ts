/** Pure: an absence as people say it ("from Monday to Friday") and as it is kept: half-open, to the instant. */

export interface Days {
  /** `2026-11-25`, this person's own calendar. */
  from: string;
  to: string;
  /** `09:30`; empty: the whole day. */
  fromTime: string;
  toTime: string;
}

const at = (day: string, time: string) => new Date(`${day}T${time || "00:00"}:00`);
const iso = (instant: Date) => instant.toISOString().replace(/\.\d+Z$/, "Z");

/** From the first day's beginning up to the end of the last day, or from and to the times given; null when it is none. */
export function windowOf(days: Days): { starts_at: string; ends_at: string } | null {
  if (!days.from || !days.to) return null;
  const starts = at(days.from, days.fromTime);
  const ends = at(days.to, days.toTime);
  if (Number.isNaN(starts.getTime()) || Number.isNaN(ends.getTime())) return null;
  if (!days.toTime) ends.setDate(ends.getDate() + 1);
  return ends > starts ? { starts_at: iso(starts), ends_at: iso(ends) } : null;
}

const isMidnight = (instant: Date) => instant.getHours() === 0 && instant.getMinutes() === 0;

/** The days of a window as people say them, the last one included; times where they are not whole days. */
export function daysOf(
  window: { starts_at: string; ends_at: string },
  say: { day: (at: Date) => string; time: (at: Date) => string },
): string {
  const starts = new Date(window.starts_at);
  const ends = new Date(window.ends_at);
  if (isMidnight(starts) && isMidnight(ends)) {
    const last = new Date(ends);
    last.setDate(last.getDate() - 1);
    const [first, end] = [say.day(starts), say.day(last)];
    return first === end ? first : `${first} – ${end}`;
  }
  const isOneDay = say.day(starts) === say.day(ends);
  const end = isOneDay ? say.time(ends) : `${say.day(ends)}, ${say.time(ends)}`;
  return `${say.day(starts)}, ${say.time(starts)} – ${end}`;
}
