/** Pure: what an approval waits for now, and what comes next, as the one who waits wants to know it. */
import type { AheadRead, PersonRef, StageRead, StepRead, WorkflowRead } from "@/api/generated";

export interface Waiting {
  stage: StageRead;
  /** Those whose answer is waited for. */
  steps: StepRead[];
  /** Those who wait for the requester's answer. */
  asking: StepRead[];
  /** Since when, at the earliest. */
  since: string | null;
  /** How many more must say yes. */
  missing: number;
  /** How many could still answer. */
  of: number;
}
export type Afterwards =
  { kind: "person"; person: PersonRef | null } | { kind: "stage"; stage: StageRead } | { kind: "approved" };

const yes = (stage: StageRead) =>
  new Set(stage.steps.filter((s) => s.status === "APPROVED").map((s) => s.seat)).size;

/** Who holds it now; null when nobody does. */
export function waitingOf(workflow: Pick<WorkflowRead, "status" | "stages">): Waiting | null {
  const stage = workflow.stages.find((s) => s.status === "OPEN");
  if (workflow.status !== "RUNNING" || !stage) return null;
  const steps = stage.steps.filter((s) => s.status === "PENDING");
  const asking = stage.steps.filter((s) => s.status === "INFO_REQUESTED");
  const since = [...steps, ...asking].map((s) => s.requested_at ?? "").filter(Boolean);
  return {
    stage,
    steps,
    asking,
    since: since.sort()[0] ?? null,
    missing: Math.max(0, stage.needed - yes(stage)),
    of: new Set([...steps, ...asking].map((s) => s.seat)).size,
  };
}

/** Who holds it, each once, in the order they were asked. */
export const holders = (waiting: Pick<Waiting, "steps">): PersonRef[] => {
  const people = new Map(waiting.steps.map((s) => [s.approver?.id, s.approver]));
  return [...people.values()].filter((p): p is PersonRef => p !== null);
};

/** What a yes leads to. */
export function afterwardsOf(workflow: Pick<WorkflowRead, "stages">, waiting: Waiting): Afterwards {
  const inLine = waiting.stage.steps.find((s) => s.status === "WAITING");
  if (waiting.stage.mode === "SEQUENTIAL" && inLine) return { kind: "person", person: inLine.approver };
  const next = workflow.stages.find((s) => s.status === "WAITING" && s.order > waiting.stage.order);
  return next ? { kind: "stage", stage: next } : { kind: "approved" };
}

export interface Shortened {
  first: AheadRead[];
  between: AheadRead[];
  last: AheadRead | null;
}
/** The next ones and the end; a long ladder's middle is folded away. */
export function shorten(ahead: AheadRead[], shown = 3): Shortened {
  if (ahead.length <= shown + 2) return { first: ahead, between: [], last: null };
  return { first: ahead.slice(0, shown), between: ahead.slice(shown, -1), last: ahead.at(-1) ?? null };
}

/** "14:32", "1:02:03"; "0:00" once it is over. */
export function clock(milliseconds: number): string {
  const all = Math.max(0, Math.ceil(milliseconds / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor(all / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${minutes}:${two(all % 60)}`;
}
