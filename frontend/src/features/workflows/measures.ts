/** Pure: how many must say yes, and by when. The counting is the server's (`approvals/definition.py`). */
import { sizeOf, type Quorum, type QuorumKind, type Stage } from "./model";

// --- how many ----------------------------------------------------------------------------------------------------

export const quorumKind = (quorum: Quorum): QuorumKind =>
  typeof quorum === "number" ? "NUMBER" : typeof quorum === "object" ? "PERCENT" : quorum;

/** The quorum of another kind: a number that the people there are can give, or a bare majority. */
export function quorumAs(kind: QuorumKind, seats: number): Quorum {
  if (kind === "NUMBER") return Math.max(1, Math.min(2, seats));
  if (kind === "PERCENT") return { percent: 50 };
  return kind;
}

/** How many must say yes when so many are asked; a percentage is rounded up. */
export function needed({ mode, quorum }: Pick<Stage, "mode" | "quorum">, seats: number): number {
  if (mode === "SEQUENTIAL" || quorum === "ALL") return seats;
  if (typeof quorum === "number") return Math.min(quorum, seats);
  if (typeof quorum === "object") return Math.max(1, Math.ceil((seats * quorum.percent) / 100 - 1e-9));
  return 1;
}

/** How many people a stage asks, as far as one can know before there is a request; null when one cannot. */
export function seatsOf(
  { approvers }: Pick<Stage, "approvers">,
  teamSize: (id: number) => number | null,
): number | null {
  let seats = 0;
  for (const approver of approvers) {
    const { kind, target } = approver;
    const size = kind === "TEAM" && typeof target === "number" ? teamSize(target) : sizeOf(approver);
    if (size === null) return null;
    seats += size;
  }
  return seats;
}

// --- by when -----------------------------------------------------------------------------------------------------

export const UNITS = ["minute", "hour", "day", "week"] as const;
export type Unit = (typeof UNITS)[number];
export const MINUTES: Record<Unit, number> = { minute: 1, hour: 60, day: 1440, week: 10_080 };
export const MAX_MINUTES = 60 * 24 * 365;

export interface Span {
  count: number;
  unit: Unit;
}

/** The largest unit that says it in whole numbers: 2880 minutes are 2 days, 90 stay minutes. */
export function spanOf(minutes: number): Span {
  const unit = [...UNITS].reverse().find((u) => minutes >= MINUTES[u] && minutes % MINUTES[u] === 0);
  return { count: minutes / MINUTES[unit ?? "minute"], unit: unit ?? "minute" };
}

/** The minutes of a span, within what the server takes; null for what is no number of it. */
export function minutesOf({ count, unit }: Span, least = 1): number | null {
  if (!Number.isFinite(count)) return null;
  const minutes = Math.round(count * MINUTES[unit]);
  return minutes < least || minutes > MAX_MINUTES ? null : minutes;
}

/** The same in at most two units, the larger one first: 3120 minutes are 2 days and 4 hours. */
export function partsOf(minutes: number): Span[] {
  const found: Span[] = [];
  let rest = minutes;
  for (const unit of ["day", "hour", "minute"] as const) {
    const count = Math.floor(rest / MINUTES[unit]);
    if (count) found.push({ count, unit });
    rest -= count * MINUTES[unit];
  }
  return found.length ? found.slice(0, 2) : [{ count: 0, unit: "minute" }];
}

/** One rung of a stage's ladder: what happens how many minutes after it was asked for. */
export interface Rung {
  at: number;
  what: "remind" | "due" | "dueRemind" | "ask" | "repeat" | "finally";
}

/** What happens when nobody answers, in order of time. */
export function rungsOf(
  dueIn: number,
  { remind, after, repeat }: { remind: readonly number[]; after: number; repeat: number },
): Rung[] {
  const reminders = remind
    .map((before) => ({ at: dueIn - before, what: "remind" as const }))
    .filter((rung) => rung.at > 0)
    .sort((a, b) => a.at - b.at);
  const isReminded = reminders.some((rung) => rung.at === dueIn);
  const rungs: Rung[] = reminders.filter((rung) => rung.at < dueIn);
  rungs.push({ at: dueIn, what: isReminded ? "dueRemind" : "due" });
  if (repeat > 0) rungs.push({ at: dueIn + after, what: "ask" });
  if (repeat > 1) rungs.push({ at: dueIn + after * repeat, what: "repeat" });
  rungs.push({ at: dueIn + after * (repeat + 1), what: "finally" });
  return rungs;
}
