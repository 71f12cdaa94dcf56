/**
 * Pure: a workflow as an administrator puts it together, and the document the server keeps. Stages and approvers carry
 * numbers of this screen's own, so that a row stays itself while it moves; what the document says besides is kept.
 */
import type { Json } from "@/shared/conditions/conditions";

/** How approvers are found, in the order in which people look for one. `NEXT_MANAGER` is for escalating only. */
export const KINDS = [
  "REQUESTER_MANAGER",
  "MANAGERS_MANAGER",
  "MANAGER_LEVEL",
  "DEPARTMENT_HEAD",
  "TEAM",
  "ROLE",
  "USER",
  "USERS",
  "FORM_FIELD",
] as const;
export type Kind = (typeof KINDS)[number] | "NEXT_MANAGER";
/** The member that says which one; null where the kind says it all. */
const TARGET: Record<Kind, string | null> = {
  REQUESTER_MANAGER: null,
  MANAGERS_MANAGER: null,
  MANAGER_LEVEL: "level",
  DEPARTMENT_HEAD: "department_id",
  TEAM: "team_id",
  ROLE: "role",
  USER: "user_id",
  USERS: "user_ids",
  FORM_FIELD: "field",
  NEXT_MANAGER: null,
};
export const isKind = (value: unknown): value is Kind => typeof value === "string" && value in TARGET;
/** Whether a kind needs to be told which one; a department's head may be the requester's own. */
export const needsTarget = (kind: Kind): boolean => TARGET[kind] !== null && kind !== "DEPARTMENT_HEAD";
/** The name of the member a kind's target stands in, for the server's pointers. */
export const memberOf = (kind: Kind): string => TARGET[kind] ?? "kind";
/** Whether it can stand for several people. */
export const isGroup = (kind: Kind): boolean => kind === "ROLE" || kind === "TEAM";

export type Target = number | string | number[] | null;
export interface Approver {
  id: number;
  kind: Kind;
  target: Target;
}

export type Mode = "PARALLEL" | "SEQUENTIAL";
export type Quorum = "ALL" | "ANY" | "FIRST" | number | { percent: number };
export const QUORUMS = ["ALL", "ANY", "NUMBER", "PERCENT", "FIRST"] as const;
export type QuorumKind = (typeof QUORUMS)[number];

export interface Escalation {
  /** Minutes before the step is due; 0 is at that instant. */
  remind: number[];
  after: number;
  to: Approver;
  repeat: number;
  finally: "ADMINISTRATORS" | "REJECT";
}

export type Counts = "CLOCK" | "WORKING_TIME";

export interface Stage {
  id: number;
  name: string;
  condition: Json;
  approvers: Approver[];
  mode: Mode;
  quorum: Quorum;
  dueIn: number;
  /** Whether its times are those of the working hours of whoever is asked. */
  counts: Counts;
  /** null: the usual ladder. */
  escalation: Escalation | null;
  /** The facts whose change asks this stage again; null: those it looks at. */
  judges: string[] | null;
  /** Whom to ask when nobody is found, not even further up, before the administrators are. */
  fallback: Approver[];
  rest: Record<string, unknown>;
}

export interface Workflow {
  name: string;
  condition: Json;
  /** Above it every decision is taken on its own; null: the usual limit. */
  oneByOneAbove: string | null;
  stages: Stage[];
  rest: Record<string, unknown>;
}

export const MAX_STAGES = 20;
export const MAX_APPROVERS = 50;
export const MAX_REMINDERS = 5;
export const DUE_IN = 2 * 24 * 60;
/** What happens when a stage says nothing of it: a reminder when due, a day later the next manager, and so on. */
export const USUAL = { remind: [0], after: 24 * 60, repeat: 10, finally: "ADMINISTRATORS" } as const;
/** The same where working time counts, of which a day is eight hours. */
export const USUAL_AT_WORK = { ...USUAL, after: 8 * 60 } as const;
/** The time to decide of a stage that says none: two days, or two working days. */
export const usualDueIn = (counts: Counts): number => (counts === "WORKING_TIME" ? 2 * 8 * 60 : DUE_IN);
export const usualOf = ({ counts }: Pick<Stage, "counts">) =>
  counts === "WORKING_TIME" ? USUAL_AT_WORK : USUAL;

let last = 0;
const nextId = (): number => (last += 1);

// --- the server's document and ours ------------------------------------------------------------------------------

type Doc = Record<string, unknown>;
const isObject = (value: unknown): value is Doc =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const without = (from: Doc, ...names: string[]): Doc =>
  Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)));

/** What a kind starts with: managers are looked for above those who have kinds of their own. */
const START: Partial<Record<Kind, Target>> = { MANAGER_LEVEL: 3, USERS: [] };

export const newApprover = (kind: Kind): Approver => ({ id: nextId(), kind, target: START[kind] ?? null });

export function approverOf(value: unknown): Approver {
  const given = isObject(value) ? value : {};
  const kind = isKind(given.kind) ? given.kind : "USER";
  const target = given[TARGET[kind] ?? ""];
  const people = Array.isArray(target) ? target.filter((one): one is number => typeof one === "number") : [];
  const one = typeof target === "number" || typeof target === "string" ? target : null;
  return { id: nextId(), kind, target: kind === "USERS" ? people : one };
}

/** How many people it stands for; null where that is known only when they are asked. */
export const sizeOf = ({ kind, target }: Approver): number | null =>
  isGroup(kind) ? null : Array.isArray(target) ? target.length : 1;

/** Whether it says all it must: which team, who, which field. */
export const isWhole = ({ kind, target }: Approver): boolean =>
  !needsTarget(kind) || (Array.isArray(target) ? target.length > 0 : target !== null);

export function approverJson({ kind, target }: Approver): Doc {
  const { [kind]: member } = TARGET;
  return member === null || target === null ? { kind } : { kind, [member]: target };
}

function quorumOf(value: unknown): Quorum {
  if (value === "ANY" || value === "FIRST" || typeof value === "number") return value;
  if (isObject(value) && typeof value.percent === "number") return { percent: value.percent };
  return "ALL";
}

function escalationOf(value: unknown): Escalation | null {
  if (!isObject(value)) return null;
  const { remind_before_minutes: remind, repeat } = value;
  return {
    remind: Array.isArray(remind)
      ? remind.filter((n): n is number => typeof n === "number")
      : [...USUAL.remind],
    after: typeof value.after_minutes === "number" ? value.after_minutes : USUAL.after,
    to: isObject(value.to) ? approverOf(value.to) : newApprover("NEXT_MANAGER"),
    repeat: repeat === true ? USUAL.repeat : typeof repeat === "number" ? repeat : 1,
    finally: value.finally === "REJECT" ? "REJECT" : "ADMINISTRATORS",
  };
}

export const newEscalation = (stage: Pick<Stage, "counts"> = { counts: "CLOCK" }): Escalation => ({
  ...usualOf(stage),
  remind: [...USUAL.remind],
  to: newApprover("NEXT_MANAGER"),
});

const escalationJson = (ladder: Escalation): Doc => ({
  remind_before_minutes: ladder.remind,
  after_minutes: ladder.after,
  to: approverJson(ladder.to),
  repeat: ladder.repeat,
  finally: ladder.finally,
});

const STAGE = [
  "name",
  "condition",
  "approvers",
  "mode",
  "quorum",
  "due_in_minutes",
  "counts",
  "escalation",
  "judges",
  "fallback",
];

function stageOf(value: unknown): Stage {
  const given = isObject(value) ? value : {};
  const counts = given.counts === "WORKING_TIME" ? "WORKING_TIME" : "CLOCK";
  return {
    id: nextId(),
    name: textOf(given.name),
    condition: (given.condition ?? null) as Json,
    approvers: (Array.isArray(given.approvers) ? given.approvers : []).map(approverOf),
    mode: given.mode === "SEQUENTIAL" ? "SEQUENTIAL" : "PARALLEL",
    quorum: quorumOf(given.quorum),
    dueIn: typeof given.due_in_minutes === "number" ? given.due_in_minutes : usualDueIn(counts),
    counts,
    escalation: escalationOf(given.escalation),
    judges: Array.isArray(given.judges) ? given.judges.map(String) : null,
    fallback: (Array.isArray(given.fallback) ? given.fallback : []).map(approverOf),
    rest: without(given, ...STAGE),
  };
}

function stageJson(stage: Stage): Doc {
  return {
    ...stage.rest,
    name: stage.name,
    condition: stage.condition,
    approvers: stage.approvers.map(approverJson),
    mode: stage.mode,
    quorum: stage.quorum,
    due_in_minutes: stage.dueIn,
    escalation: stage.escalation && escalationJson(stage.escalation),
    // Said only when there is something to say: a document that never spoke of it stays as it was.
    ...(stage.counts !== "CLOCK" && { counts: stage.counts }),
    ...(stage.judges && { judges: stage.judges }),
    ...(stage.fallback.length && { fallback: stage.fallback.map(approverJson) }),
  };
}

export function workflowOf(document: unknown): Workflow {
  const given = isObject(document) ? document : {};
  return {
    name: textOf(given.name),
    condition: (given.condition ?? null) as Json,
    oneByOneAbove: given.one_by_one_above === null ? null : textOf(given.one_by_one_above) || null,
    stages: (Array.isArray(given.stages) ? given.stages : []).map(stageOf),
    rest: without(given, "name", "condition", "one_by_one_above", "stages"),
  };
}

export function documentOf(workflow: Workflow): Doc {
  return {
    ...workflow.rest,
    name: workflow.name,
    condition: workflow.condition,
    stages: workflow.stages.map(stageJson),
    ...(workflow.oneByOneAbove !== null && { one_by_one_above: workflow.oneByOneAbove }),
  };
}

/** Whether two would be kept as the same document. */
export const isSame = (a: Workflow, b: Workflow): boolean =>
  JSON.stringify(documentOf(a)) === JSON.stringify(documentOf(b));

// --- putting it together -----------------------------------------------------------------------------------------

export function newStage(name: string): Stage {
  return { ...stageOf({ approvers: [{ kind: "REQUESTER_MANAGER" }] }), name };
}

/** A new workflow as it begins: for every request until somebody says otherwise, judged by the manager. */
export const newDocument = (name: string, stage: string): Doc =>
  documentOf({ name, condition: null, oneByOneAbove: null, stages: [newStage(stage)], rest: {} });

const withStages = (workflow: Workflow, stages: Stage[]): Workflow => ({ ...workflow, stages });

export function added(workflow: Workflow, at: number, stage: Stage): Workflow {
  if (workflow.stages.length >= MAX_STAGES) return workflow;
  return withStages(workflow, [...workflow.stages.slice(0, at), stage, ...workflow.stages.slice(at)]);
}

export const removed = (workflow: Workflow, id: number): Workflow =>
  withStages(
    workflow,
    workflow.stages.filter((stage) => stage.id !== id),
  );

export const changed = (workflow: Workflow, stage: Stage): Workflow =>
  withStages(
    workflow,
    workflow.stages.map((one) => (one.id === stage.id ? stage : one)),
  );

/** A copy behind its original; its rows are rows of their own. */
export function duplicated(workflow: Workflow, id: number, name: string): { workflow: Workflow; id: number } {
  const n = workflow.stages.findIndex((stage) => stage.id === id);
  const { [n]: original } = workflow.stages;
  if (!original) return { workflow, id };
  const copy = { ...stageOf(structuredClone(stageJson(original))), name };
  const next = added(workflow, n + 1, copy);
  return next === workflow ? { workflow, id } : { workflow: next, id: copy.id };
}

/** The list with one of its parts at another place; the same list where it cannot go there. */
export function placed<T>(list: T[], from: number, to: number): T[] {
  const { [from]: part } = list;
  if (part === undefined || from === to || to < 0 || to >= list.length) return list;
  const rest = list.filter((_, n) => n !== from);
  return [...rest.slice(0, to), part, ...rest.slice(to)];
}

/** The stage at another place; the same workflow where it cannot go there. */
export function moved(workflow: Workflow, id: number, to: number): Workflow {
  const from = workflow.stages.findIndex((stage) => stage.id === id);
  const stages = placed(workflow.stages, from, to);
  return stages === workflow.stages ? workflow : withStages(workflow, stages);
}

/** The ids of stages and approvers of another reading of the same document, so that what is selected stays so. */
export function asBefore(workflow: Workflow, before: Workflow): Workflow {
  return withStages(
    workflow,
    workflow.stages.map((stage, n) => {
      const { [n]: same } = before.stages;
      return same && JSON.stringify(stageJson(same)) === JSON.stringify(stageJson(stage)) ? same : stage;
    }),
  );
}

/** What is named: for looking up names, and for saying it in words. */
export const approversIn = (workflow: Workflow): Approver[] =>
  workflow.stages.flatMap((stage) => [
    ...stage.approvers,
    ...(stage.escalation ? [stage.escalation.to] : []),
    ...stage.fallback,
  ]);
