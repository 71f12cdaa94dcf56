/**
 * Pure: what a list of tickets is narrowed to. One value, said in four ways that go back and forth: the address of the
 * page, the filter text (`filterText.ts`), the list's request, and a saved view.
 */
import type { LocationQuery } from "vue-router";
import { comparisonOf, comparisonsOf, FIELD_OF, leafOf } from "./filterRanges";

/** What is read of the words of a list; the search reads as much. */
export const MOST_WORDS = 500;
export const STATUSES = [
  "DRAFT",
  "SUBMITTED",
  "IN_REVIEW",
  "PENDING_INFO",
  "APPROVED",
  "REJECTED",
  "IN_PROGRESS",
  "COMPLETED",
  "CLOSED",
] as const;
/** What still needs somebody: the word `open` of the filter text. */
export const OPEN: Status[] = ["SUBMITTED", "IN_REVIEW", "PENDING_INFO", "APPROVED", "IN_PROGRESS"];
export const PRIORITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW"] as const;
export const SORTS = [
  "-created_at",
  "created_at",
  "-updated_at",
  "updated_at",
  "-priority",
  "priority",
  "due_date",
  "-due_date",
  "sla_due_at",
  "-sla_due_at",
] as const;
export type Status = (typeof STATUSES)[number];
export type Priority = (typeof PRIORITIES)[number];
export type Sort = (typeof SORTS)[number];

/** A condition as the server takes it. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Leaf = { field: string; op: string; value?: Json };

export interface Filters {
  status: Status[];
  priority: Priority[];
  ticket_type: string[];
  /** "me", "none" (assignee only) or an id. */
  requester_id: string[];
  assignee_id: string[];
  /** "my_teams", "my_departments" or an id. */
  team_id: string[];
  department_id: string[];
  /** All of them. */
  tag: string[];
  /** What is left out: "status:CLOSED", "tag:vpn", "assignee_id:me". */
  not: string[];
  /** Comparisons (`>=2026-01-01`, `<7d`), "none" or "any"; `7d` is seven days ago, for `due` seven days from now. */
  created: string[];
  updated: string[];
  due: string[];
  amount: string[];
  q: string;
  /** A further condition as JSON text, "" when there is none. */
  condition: string;
  sort: Sort;
}

export const LISTS = [
  "status",
  "priority",
  "ticket_type",
  "requester_id",
  "assignee_id",
  "team_id",
  "department_id",
  "tag",
] as const;
export const RANGES = ["created", "updated", "due", "amount"] as const;
export type ListKey = (typeof LISTS)[number];
export type RangeKey = (typeof RANGES)[number];
const CHECKS: Record<ListKey, RegExp> = {
  status: new RegExp(`^(${STATUSES.join("|")})$`),
  priority: new RegExp(`^(${PRIORITIES.join("|")})$`),
  ticket_type: /^[A-Z][A-Z0-9_]{0,63}$/,
  requester_id: /^(me|[1-9]\d{0,15})$/,
  assignee_id: /^(me|none|[1-9]\d{0,15})$/,
  team_id: /^(my_teams|[1-9]\d{0,15})$/,
  department_id: /^(my_departments|[1-9]\d{0,15})$/,
  tag: /^[^\s"][^"]{0,49}$/,
};

export const isValue = (key: ListKey, value: string): boolean => CHECKS[key].test(value);

export function emptyFilters(): Filters {
  return {
    status: [],
    priority: [],
    ticket_type: [],
    requester_id: [],
    assignee_id: [],
    team_id: [],
    department_id: [],
    tag: [],
    not: [],
    created: [],
    updated: [],
    due: [],
    amount: [],
    q: "",
    condition: "",
    sort: "-created_at",
  };
}

// --- conditions ------------------------------------------------------------------------------------------------------

/** The words of a filter that mean "whoever reads": kept as they are, resolved by the server. */
const isWord = (value: string) => /^(me|my_teams|my_departments)$/.test(value);
const idOf = (value: string): Json => (isWord(value) || !/^\d+$/.test(value) ? value : Number(value));
const FIELDS: Record<Exclude<ListKey, "tag">, string> = {
  status: "status",
  priority: "priority",
  ticket_type: "ticket_type",
  requester_id: "requester_id",
  assignee_id: "assignee_id",
  team_id: "team_id",
  department_id: "department_id",
};
const IS_ID = new Set(["requester_id", "assignee_id", "team_id", "department_id"]);

/** What the plain parameters cannot say, in the order the parts have. */
function partsOf(filters: Filters): Json[] {
  const parts: Json[] = [];
  for (const key of ["team_id", "department_id"] as const) {
    if (filters[key].some(isWord)) parts.push({ field: key, op: "in", value: filters[key].map(idOf) });
  }
  for (const tag of filters.tag) parts.push({ field: "tags", op: "contains", value: tag });
  for (const entry of filters.not) {
    const [key, value] = split(entry);
    if (key === "tag") parts.push({ not: { field: "tags", op: "contains", value } });
    else if (value === "none") parts.push({ field: key, op: "is_not_empty" });
    else parts.push({ field: key, op: "ne", value: IS_ID.has(key) ? idOf(value) : value });
  }
  for (const key of RANGES) for (const one of filters[key]) parts.push(leafOf(key, one) as unknown as Json);
  return parts;
}
const split = (entry: string): [string, string] => {
  const at = entry.indexOf(":");
  return [entry.slice(0, at), entry.slice(at + 1)];
};

/** The whole condition of a list: what its filters need of it, and the further one. Null when there is none. */
export function conditionOf(filters: Filters): Json {
  const parts = partsOf(filters);
  const more = parsed(filters.condition);
  if (more !== null) parts.push(more);
  return parts.length ? { all: parts } : null;
}

function parsed(text: string): Json {
  if (!text.trim()) return null;
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === "object" && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** What a further condition asks for, each thing by itself as far as all of them must hold; none when there is none. */
export function furtherOf(condition: string): Json[] {
  const json = parsed(condition);
  if (json === null) return [];
  return isObject(json) && Array.isArray(json.all) ? json.all : [json];
}
/** The further condition that asks for all of these. */
export const furtherFrom = (parts: Json[]): string =>
  parts.length ? JSON.stringify(parts.length === 1 ? parts[0] : { all: parts }) : "";

/** The list's request; `more` narrows it further. */
export function requestOf(filters: Filters, more: Json[] = []) {
  const { status, priority, ticket_type, requester_id, assignee_id, sort } = filters;
  const own = conditionOf(filters);
  const condition = more.length ? { all: own === null ? more : [own, ...more] } : own;
  const ids = (values: string[]) => (values.some(isWord) ? [] : values.map(Number));
  return {
    status,
    priority,
    ticket_type,
    requester_id,
    assignee_id,
    team_id: ids(filters.team_id),
    department_id: ids(filters.department_id),
    sort,
    q: filters.q.trim() || undefined,
    condition: condition === null ? undefined : JSON.stringify(condition),
  };
}

/** What a saved view keeps of filters. */
export function savedOf(filters: Filters): { filters: Record<string, unknown>; condition: Json; sort: Sort } {
  const { sort, ...asked } = requestOf(filters);
  return {
    filters: Object.fromEntries(
      Object.entries(asked).filter(
        ([key, v]) => key !== "condition" && (Array.isArray(v) ? v.length > 0 : v !== undefined),
      ),
    ),
    condition: conditionOf(filters),
    sort,
  };
}

const isObject = (json: Json | undefined): json is Record<string, Json> =>
  typeof json === "object" && json !== null && !Array.isArray(json);

/** The filters a saved view stands for: what of its condition the panel can show, and the rest as a further one. */
export function filtersOfSaved(view: {
  filters?: Record<string, unknown>;
  condition?: unknown;
  sort?: string;
}): Filters {
  const found = emptyFilters();
  const kept = view.filters ?? {};
  for (const key of LISTS) {
    const values = kept[key];
    if (Array.isArray(values)) (found[key] as string[]) = values.map(String).filter((v) => isValue(key, v));
  }
  if (typeof kept.q === "string") found.q = kept.q;
  if (SORTS.includes(view.sort as Sort)) found.sort = view.sort as Sort;
  const condition = (view.condition ?? null) as Json;
  if (condition === null) return found;
  const parts = isObject(condition) && Array.isArray(condition.all) ? condition.all : [condition];
  const rest = parts.filter((part) => !take(found, part));
  found.condition = furtherFrom(rest);
  return found;
}

/** Whether a part of a condition is one the panel knows; then it is in the filters now. */
function take(filters: Filters, part: Json): boolean {
  if (!isObject(part)) return false;
  if (isObject(part.not)) {
    const { field, op, value } = part.not;
    const entry = `tag:${String(value)}`;
    return field === "tags" && op === "contains" && typeof value === "string" && addNot(filters, entry);
  }
  const leaf = part as unknown as Leaf;
  if (leaf.field === "tags" && leaf.op === "contains" && typeof leaf.value === "string") {
    if (!isValue("tag", leaf.value)) return false;
    filters.tag.push(leaf.value);
    return true;
  }
  for (const key of RANGES) {
    if (leaf.field !== FIELD_OF[key]) continue;
    const one = comparisonOf(key, leaf);
    if (one !== null) filters[key].push(one);
    return one !== null;
  }
  const key = (Object.keys(FIELDS) as (keyof typeof FIELDS)[]).find((k) => FIELDS[k] === leaf.field);
  if (!key) return false;
  if (key === "assignee_id" && leaf.op === "is_not_empty") return addNot(filters, "assignee_id:none");
  if (leaf.op === "ne") return addNot(filters, `${key}:${String(leaf.value)}`);
  const values = leaf.op === "in" ? leaf.value : leaf.op === "eq" ? [leaf.value ?? null] : null;
  if (!Array.isArray(values) || filters[key].length) return false;
  const words = values.map(String);
  if (!words.length || !words.every((v) => isValue(key, v) && v !== "none")) return false;
  (filters[key] as string[]) = words;
  return true;
}
function addNot(filters: Filters, entry: string): boolean {
  const [key, value] = split(entry);
  if (!isValue(key as ListKey, value)) return false;
  filters.not.push(entry);
  return true;
}

// --- the address -----------------------------------------------------------------------------------------------------

const many = (value: LocationQuery[string] | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).filter((v): v is string => typeof v === "string" && v !== "");
const once = <T>(values: T[]): T[] => [...new Set(values)];

/** The filters an address stands for; words that are none are left out. */
export function filtersOf(query: LocationQuery): Filters {
  const found = emptyFilters();
  for (const key of LISTS) {
    (found[key] as string[]) = once(many(query[key]).filter((v) => isValue(key, v)));
  }
  found.not = once(
    many(query.not).filter((entry) => {
      const [key, value] = split(entry);
      return (LISTS as readonly string[]).includes(key) && isValue(key as ListKey, value);
    }),
  );
  for (const key of RANGES) {
    found[key] = once(many(query[key]).flatMap((typed) => comparisonsOf(key, typed) ?? []));
  }
  found.q = many(query.q)[0]?.slice(0, MOST_WORDS) ?? "";
  const condition = many(query.condition)[0]?.slice(0, 6000) ?? "";
  found.condition = parsed(condition) === null ? "" : condition;
  const sort = many(query.sort)[0] as Sort;
  if (SORTS.includes(sort)) found.sort = sort;
  return found;
}

/** The address of filters: only what differs from the plain list. */
export function queryOf(filters: Filters): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const key of [...LISTS, "not", ...RANGES] as const) {
    if (filters[key].length) query[key] = [...filters[key]];
  }
  if (filters.q.trim()) query.q = filters.q.trim();
  if (filters.condition) query.condition = filters.condition;
  if (filters.sort !== "-created_at") query.sort = filters.sort;
  return query;
}

/** How many filters narrow the list (the order of it is none). */
export function countOf(filters: Filters): number {
  const lists = [...LISTS, "not", ...RANGES] as const;
  return (
    lists.reduce((sum, key) => sum + filters[key].length, 0) +
    (filters.q.trim() ? 1 : 0) +
    furtherOf(filters.condition).length
  );
}

/** Whether two lists are narrowed and ordered alike. */
export const isSame = (a: Filters, b: Filters): boolean =>
  JSON.stringify(savedOf(sorted(a))) === JSON.stringify(savedOf(sorted(b)));

function sorted(filters: Filters): Filters {
  const copy = { ...filters };
  for (const key of [...LISTS, "not", ...RANGES] as const) (copy[key] as string[]) = [...filters[key]].sort();
  return copy;
}
