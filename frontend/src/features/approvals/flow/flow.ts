/** Pure: a round of judging as it is drawn – places in their order, seats in each, who holds or held each seat. */
import type { StageRead, StepRead } from "@/api/generated";

/** A place in the order: its stage as it counts now, and how it was asked before edits, the latest first. */
export interface Place {
  stage: StageRead;
  before: StageRead[];
}
/** One answer fills a seat; whoever is or was asked for it, in order. */
export interface Seat {
  id: number;
  steps: StepRead[];
}

const EDITED = /^(.*?)(?:; )?(asked again|not asked any more), because (.*)$/s;
const ANSWERED = ["APPROVED", "REJECTED"];
const OPEN = ["PENDING", "INFO_REQUESTED"];

export function placesOf(stages: StageRead[]): Place[] {
  const places = new Map<number, StageRead[]>();
  for (const stage of stages) places.set(stage.order, [...(places.get(stage.order) ?? []), stage]);
  return [...places.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, all]) => {
      const now = all.findLast((s) => s.status !== "SUPERSEDED") ?? all.at(-1);
      return { stage: now as StageRead, before: all.filter((s) => s !== now).reverse() };
    });
}

export function seatsOf(stage: Pick<StageRead, "steps">): Seat[] {
  const seats = new Map<number, StepRead[]>();
  for (const step of stage.steps) seats.set(step.seat, [...(seats.get(step.seat) ?? []), step]);
  return [...seats.entries()].map(([id, steps]) => ({ id, steps }));
}

/** Why a stage applies, and why an edit had it asked again, or not any more (both empty: neither). */
export function reasonsOf(reason: string): { why: string; again: string; noMore: string } {
  const found = EDITED.exec(reason);
  if (!found) return { why: reason, again: "", noMore: "" };
  const [, why = "", what, because = ""] = found;
  return what === "asked again" ? { why, again: because, noMore: "" } : { why, again: "", noMore: because };
}

/** Why this person; why the stage applies is said of the stage. */
export function whyOf(step: Pick<StepRead, "reason">, stage: Pick<StageRead, "reason">): string {
  const tail = `, because ${reasonsOf(stage.reason).why}`;
  return step.reason.endsWith(tail) ? step.reason.slice(0, -tail.length) : step.reason;
}

/** What everybody who holds a seat first was asked for; empty when they were asked for different reasons. */
export function sharedWhy(stage: Pick<StageRead, "reason" | "steps">): string {
  const first = seatsOf(stage).flatMap((seat) => seat.steps.slice(0, 1));
  const why = new Set(first.map((step) => whyOf(step, stage)));
  return first.length > 1 && why.size === 1 ? ([...why][0] ?? "") : "";
}

/** What was really said before it was asked again. */
export const saidIn = (stage: Pick<StageRead, "steps">): StepRead[] =>
  stage.steps.filter((s) => isAnswered(s) || s.comments || s.questions.length);

export const isOpen = (step: Pick<StepRead, "status">): boolean => OPEN.includes(step.status);
export const isAnswered = (step: Pick<StepRead, "status">): boolean => ANSWERED.includes(step.status);

/** How many seats have said yes so far. */
export const yesOf = (stage: Pick<StageRead, "steps">): number =>
  seatsOf(stage).filter((seat) => seat.steps.some((s) => s.status === "APPROVED")).length;

/** Who really answered, when it was not the one who was asked. */
export function answeredFor(step: StepRead): string | null {
  const { decided_by: by, approver } = step;
  return isAnswered(step) && by && by.id !== approver?.id ? by.name : null;
}

/** With what a decision was confirmed, where it was not signed; null where nothing was asked for. */
export function confirmedHow(by: string | null): "byCode" | "byPassword" | "bySignIn" | null {
  if (!by) return null;
  const ways = by.split("+");
  if (ways.includes("passkey")) return null;
  return ways.includes("totp") ? "byCode" : ways.includes("password") ? "byPassword" : "bySignIn";
}
