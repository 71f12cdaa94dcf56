/** Pure: routing rules as they are edited, and what became of a draft. */
import type { RuleBody, RuleRead } from "@/api/generated";
import type { Json, Mistake } from "@/shared/conditions/conditions";

export type Way = NonNullable<RuleRead["assign"]>;
export type Priority = NonNullable<RuleRead["priority"]>;
export const WAYS: Way[] = ["ROUND_ROBIN", "LEAST_LOADED", "PERSON", "NOBODY"];

/** A rule on the screen. `id` is this screen's own; `key` is the server's, once it has one. */
export interface Draft {
  id: number;
  key: string | null;
  name: string;
  condition: Json;
  team_id: number | null;
  priority: Priority | null;
  assign: Way | null;
  assignee_id: number | null;
  stops: boolean;
  is_active: boolean;
}

let last = 0;
const next = (): number => (last += 1);

export function emptyDraft(): Draft {
  return {
    id: next(),
    key: null,
    name: "",
    condition: null,
    team_id: null,
    priority: null,
    assign: null,
    assignee_id: null,
    stops: true,
    is_active: true,
  };
}

export function draftOf(rule: RuleRead): Draft {
  const { key, name, team_id, priority, assign, assignee_id, stops, is_active } = rule;
  return {
    id: next(),
    key,
    name,
    condition: rule.condition as Json,
    team_id,
    priority,
    assign,
    assignee_id,
    stops,
    is_active,
  };
}

export const copyOf = (rule: Draft, name: string): Draft => ({ ...rule, id: next(), key: null, name });

/** A rule as the server takes it. */
export function bodyOf(rule: Draft): RuleBody {
  const { key, name, condition, team_id, priority, assign, stops, is_active } = rule;
  return {
    key,
    name,
    condition: condition as RuleBody["condition"],
    team_id,
    priority,
    assign,
    assignee_id: assign === "PERSON" ? rule.assignee_id : null,
    stops,
    is_active,
  };
}

/** Whether two lists of rules would be published as the same. */
export function isSame(one: Draft[], other: Draft[]): boolean {
  return JSON.stringify(one.map(bodyOf)) === JSON.stringify(other.map(bodyOf));
}

/** The list with one rule moved by so many places; the same list where it cannot move. */
export function moved<T>(list: T[], from: number, by: number): T[] {
  const to = from + by;
  const rule = list[from];
  if (rule === undefined || to < 0 || to >= list.length) return list;
  const rest = list.filter((_, n) => n !== from);
  return [...rest.slice(0, to), rule, ...rest.slice(to)];
}

/** What is missing in a rule before it can be published: keys of `routing.mistake`, by field. */
export function lacking(rule: Draft): Partial<Record<"name" | "then" | "assignee_id", string>> {
  const found: Partial<Record<"name" | "then" | "assignee_id", string>> = {};
  if (!rule.name.trim()) found.name = "name";
  if (rule.team_id === null && rule.priority === null && rule.assign === null) found.then = "nothing";
  if (rule.assign === "PERSON" && rule.assignee_id === null) found.assignee_id = "person";
  return found;
}

/** The server's mistakes by the rule they are about (-1: about all of them), told from the rule on. */
export function byRule(mistakes: Mistake[]): Map<number, Mistake[]> {
  const found = new Map<number, Mistake[]>();
  for (const mistake of mistakes) {
    const parts = /^\/rules\/(\d+)(\/.*)?$/.exec(mistake.pointer);
    const n = parts ? Number(parts[1]) : -1;
    found.set(n, [
      ...(found.get(n) ?? []),
      { pointer: parts ? (parts[2] ?? "") : mistake.pointer, message: mistake.message },
    ]);
  }
  return found;
}
