/** Pure: how many must say yes, and by when. The counting is the server's (`approvals/definition.py`). */
import { sizeOf, type Counts, type Quorum, type QuorumKind, type Stage } from "./model";

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
/** The units a time is said in. Of working time a day is as long as somebody's calendar says, so it is said in hours. */
export const unitsOf = (counts: Counts): readonly Unit[] =>
  counts === "WORKING_TIME" ? ["minute", "hour"] : UNITS;
export const MAX_MINUTES = 60 * 24 * 365;

export interface Span {
  count: number;
  unit: Unit;
}

/** The largest unit that says it in whole numbers: 2880 minutes are 2 days, 90 stay minutes. */
export function spanOf(minutes: number, units: readonly Unit[] = UNITS): Span {
  const unit = [...units].reverse().find((u) => minutes >= MINUTES[u] && minutes % MINUTES[u] === 0);
  return { count: minutes / MINUTES[unit ?? "minute"], unit: unit ?? "minute" };
}

/** The minutes of a span, within what the server takes; null for what is no number of it. */
export function minutesOf({ count, unit }: Span, least = 1): number | null {
  if (!Number.isFinite(count)) return null;
  const minutes = Math.round(count * MINUTES[unit]);
  return minutes < least || minutes > MAX_MINUTES ? null : minutes;
}

/** The same in at most two units, the larger one first: 3120 minutes are 2 days and 4 hours. */
export function partsOf(minutes: number, units: readonly Unit[] = UNITS): Span[] {
  const found: Span[] = [];
  let rest = minutes;
  for (const unit of (["day", "hour", "minute"] as const).filter((one) => units.includes(one))) {
    const count = Math.floor(rest / MINUTES[unit]);
    if (count) found.push({ count, unit });
    rest -= count * MINUTES[unit];
  }
  return found.length ? found.slice(0, 2) : [{ count: 0, unit: "minute" }];
}

const DAY = MINUTES.day;
const WORKING_DAY = 8 * MINUTES.hour;
const atWork = (minutes: number): number =>
  minutes < DAY ? Math.min(minutes, WORKING_DAY) : Math.round((minutes * WORKING_DAY) / DAY);
const byClock = (minutes: number): number =>
  minutes % WORKING_DAY ? minutes : (minutes / WORKING_DAY) * DAY;

/** A stage that counts its times otherwise: days become working days of eight hours, and back; hours stay hours. */
export function countedAs(stage: Stage, counts: Counts): Pick<Stage, "counts" | "dueIn" | "escalation"> {
  const turn = counts === "WORKING_TIME" ? atWork : byClock;
  const { escalation } = stage;
  if (stage.counts === counts) return { counts, dueIn: stage.dueIn, escalation };
  const remind = [...new Set(escalation?.remind.map(turn))].filter((before) => before < turn(stage.dueIn));
  return {
    counts,
    dueIn: turn(stage.dueIn),
    escalation: escalation && { ...escalation, remind, after: turn(escalation.after) },
  };
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
