/** Pure: automation rules as they are edited. */
import type { AutomationRuleRead, RuleWrite } from "@/api/generated";
import type { Json } from "@/shared/conditions/conditions";

export type Action = AutomationRuleRead["actions"][number];
export type Do = Action["do"];
export type Trigger = Required<AutomationRuleRead["trigger"]>;
export type On = Trigger["on"];

export const EVENTS: On[] = [
  "CREATED",
  "SUBMITTED",
  "UPDATED",
  "STATUS_CHANGED",
  "ASSIGNED",
  "COMMENTED",
  "APPROVAL_DECIDED",
  "DUE_SOON",
  "OVERDUE",
  "SLA_WARNED",
  "SLA_BREACHED",
];
export const TIMES: On[] = ["IN_STATUS", "QUIET", "BEFORE_DATE", "AFTER_DATE"];
export const STATUSES: Trigger["statuses"] = [
  "SUBMITTED",
  "IN_REVIEW",
  "PENDING_INFO",
  "APPROVED",
  "REJECTED",
  "IN_PROGRESS",
  "COMPLETED",
  "CLOSED",
];
export const UNITS = ["MINUTES", "HOURS", "DAYS", "WORKING_HOURS", "WORKING_DAYS"] as const;
export const DOES: Do[] = [
  "ASSIGN",
  "SET_PRIORITY",
  "SET_DUE",
  "ADD_TAGS",
  "REMOVE_TAGS",
  "SET_FIELD",
  "TRANSITION",
  "COMMENT",
  "NOTIFY",
  "ESCALATE",
  "START_APPROVAL",
  "WEBHOOK",
];

export type Told = Extract<Action, { do: "NOTIFY" }>["to"][number];
export const TOLD: Told["kind"][] = [
  "TEAM_LEADS",
  "TEAM",
  "ASSIGNEE",
  "REQUESTER",
  "WATCHERS",
  "PERSON",
  "ROLE",
];
export const MOST_TOLD = 20;
/** Somebody to be told, as it begins. */
export const toldOf = (kind: Told["kind"]): Told => ({ kind, id: null });

/** An action on the screen; `id` is this screen's own. */
export interface Step {
  id: number;
  action: Action;
}
export interface Draft {
  name: string;
  is_active: boolean;
  trigger: Trigger;
  condition: Json;
  steps: Step[];
  stops: boolean;
}

let last = 0;
export const stepOf = (action: Action): Step => ({ id: (last += 1), action });

export const isTimed = (on: On): boolean => TIMES.includes(on);
export const isOfDate = (on: On): boolean => on === "BEFORE_DATE" || on === "AFTER_DATE";
export const isByPeople = (on: On): boolean =>
  ["UPDATED", "STATUS_CHANGED", "ASSIGNED", "COMMENTED"].includes(on);

const PLAIN = {
  fields: [],
  statuses: [],
  visibility: null,
  by: null,
  outcome: null,
  amount: 0,
  unit: "HOURS",
  date_field: null,
} as const;

/** A trigger of this kind, with nothing of what another kind asked for. */
export function triggerOf(on: On): Trigger {
  return {
    ...PLAIN,
    fields: [],
    statuses: on === "IN_STATUS" ? ["IN_PROGRESS"] : [],
    on,
    amount: isTimed(on) ? 1 : 0,
    unit: isOfDate(on) ? "DAYS" : isTimed(on) ? "WORKING_DAYS" : "HOURS",
    date_field: isOfDate(on) ? "due_date" : null,
  };
}

/** An action of this kind, as it begins. */
export function actionOf(kind: Do): Action {
  switch (kind) {
    case "ASSIGN":
      return { do: kind, to: "ROUND_ROBIN", user_id: null, team_id: null };
    case "SET_PRIORITY":
      return { do: kind, priority: "HIGH" };
    case "SET_DUE":
      return { do: kind, amount: 2, unit: "WORKING_DAYS" };
    case "ADD_TAGS":
    case "REMOVE_TAGS":
      return { do: kind, tags: [] };
    case "SET_FIELD":
      return { do: kind, field: "", value: "" };
    case "TRANSITION":
      return { do: kind, to: "IN_PROGRESS" };
    case "COMMENT":
      return { do: kind, visibility: "INTERNAL", body: "" };
    case "NOTIFY":
      return { do: kind, to: [toldOf("TEAM_LEADS")], message: "" };
    case "ESCALATE":
      return { do: kind, how: "RAISE_PRIORITY" };
    case "START_APPROVAL":
      return { do: kind, workflow_id: null };
    default:
      return { do: "WEBHOOK", url: "https://" };
  }
}

export const emptyDraft = (): Draft => ({
  name: "",
  is_active: true,
  trigger: triggerOf("SUBMITTED"),
  condition: null,
  steps: [stepOf(actionOf("COMMENT"))],
  stops: false,
});

export const draftOf = (rule: AutomationRuleRead): Draft => ({
  name: rule.name,
  is_active: rule.is_active,
  trigger: { ...triggerOf(rule.trigger.on), ...rule.trigger },
  condition: rule.condition as Json,
  steps: rule.actions.map(stepOf),
  stops: rule.stops,
});

/** A rule as the server takes it. */
export const bodyOf = (draft: Draft): RuleWrite => ({
  name: draft.name.trim(),
  is_active: draft.is_active,
  trigger: draft.trigger,
  condition: draft.condition as RuleWrite["condition"],
  actions: draft.steps.map((step) => step.action),
  stops: draft.stops,
});

export const isSame = (one: Draft, other: Draft): boolean =>
  JSON.stringify(bodyOf(one)) === JSON.stringify(bodyOf(other));

/** The list with one moved to another place; the same list where there is none. */
export function moved<T>(list: T[], from: number, to: number): T[] {
  const one = list[from];
  if (one === undefined || to < 0 || to >= list.length || from === to) return list;
  const rest = list.filter((_, n) => n !== from);
  return [...rest.slice(0, to), one, ...rest.slice(to)];
}

/** The server's mistakes about one action, told from the action on. */
export function ofAction(mistakes: { pointer: string; message: string }[], n: number): string[] {
  const prefix = `/actions/${n}`;
  return mistakes
    .filter((m) => m.pointer === prefix || m.pointer.startsWith(`${prefix}/`))
    .map((m) => m.message);
}
