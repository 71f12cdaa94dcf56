/** Pure: what a ticket list is narrowed to, and how the address says it. */
import type { LocationQuery } from "vue-router";

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
] as const;
export type Status = (typeof STATUSES)[number];
export type Priority = (typeof PRIORITIES)[number];
export type Sort = (typeof SORTS)[number];

export interface Filters {
  status: Status[];
  priority: Priority[];
  ticket_type: string[];
  requester_id: string[];
  assignee_id: string[];
  q: string;
  sort: Sort;
}

const many = (value: LocationQuery[string] | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).filter((v): v is string => typeof v === "string" && v !== "");

/** The filters an address stands for; words that are none are left out. */
export function filtersOf(query: LocationQuery): Filters {
  const sort = many(query.sort)[0] as Sort;
  return {
    status: many(query.status).filter((s): s is Status => STATUSES.includes(s as Status)),
    priority: many(query.priority).filter((p): p is Priority => PRIORITIES.includes(p as Priority)),
    ticket_type: many(query.ticket_type).filter((k) => /^[A-Z][A-Z0-9_]*$/.test(k)),
    requester_id: many(query.requester_id).filter((v) => /^(me|[1-9]\d*)$/.test(v)),
    assignee_id: many(query.assignee_id).filter((v) => /^(me|none|[1-9]\d*)$/.test(v)),
    q: many(query.q)[0]?.slice(0, 200) ?? "",
    sort: SORTS.includes(sort) ? sort : "-created_at",
  };
}

/** The address of filters: only what differs from the plain list. */
export function queryOf(filters: Filters): Record<string, string | string[]> {
  const query: Record<string, string | string[]> = {};
  for (const key of ["status", "priority", "ticket_type", "requester_id", "assignee_id"] as const) {
    if (filters[key].length) query[key] = [...filters[key]];
  }
  if (filters.q.trim()) query.q = filters.q.trim();
  if (filters.sort !== "-created_at") query.sort = filters.sort;
  return query;
}

/** How many filters narrow the list (the order of it is none). */
export function countOf(filters: Filters): number {
  return (
    filters.status.length +
    filters.priority.length +
    filters.ticket_type.length +
    filters.requester_id.length +
    filters.assignee_id.length +
    (filters.q.trim() ? 1 : 0)
  );
}

export interface FormField {
  key: string;
  title: string;
  description: string;
  widget: "text" | "textarea" | "select" | "number" | "checkbox" | "date";
  options: string[];
  required: boolean;
  maxLength?: number;
}

type Schema = Record<string, unknown>;

/** The fields of a form (JSON Schema) in the order people fill them in. */
export function fieldsOf(form: Schema): FormField[] {
  const properties = (form.properties ?? {}) as Record<string, Schema>;
  const required = new Set((form.required as string[] | undefined) ?? []);
  return Object.entries(properties)
    .map(([key, schema], n) => ({ key, schema, order: Number(schema["x-order"] ?? 1000 + n) }))
    .sort((a, b) => a.order - b.order)
    .map(({ key, schema }) => ({
      key,
      title: typeof schema.title === "string" ? schema.title : key,
      description: typeof schema.description === "string" ? schema.description : "",
      widget: widgetOf(schema),
      options: Array.isArray(schema.enum) ? schema.enum.map(String) : [],
      required: required.has(key),
      maxLength: typeof schema.maxLength === "number" ? schema.maxLength : undefined,
    }));
}

function widgetOf(schema: Schema): FormField["widget"] {
  if (Array.isArray(schema.enum)) return "select";
  if (schema.type === "boolean") return "checkbox";
  if (schema.type === "number" || schema.type === "integer") return "number";
  if (schema.format === "date") return "date";
  return schema["x-widget"] === "textarea" || Number(schema.maxLength ?? 0) > 300 ? "textarea" : "text";
}

/** The keys of the fields that must be filled in before a request is submitted, and are not. */
export function missing(form: Schema, values: Record<string, unknown>): string[] {
  const given = filled(values);
  return fieldsOf(form)
    .filter((f) => f.required && (given[f.key] === undefined || String(given[f.key]).trim() === ""))
    .map((f) => f.key);
}

const wordsOf = (text: string) =>
  text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

/**
 * The kinds of request that fit what somebody describes in their own words, best first: a word in the name counts more
 * than one in the description or the form. Without words all of them, with none that fit an empty list.
 */
export function fitting<T extends { name: string; description: string; category: string; form: Schema }>(
  types: T[],
  described: string,
): T[] {
  const asked = wordsOf(described).filter((w, _, all) => w.length > 2 || all.length === 1);
  if (!asked.length) return types;
  const isLike = (word: string, other: string) =>
    other.startsWith(word) || (other.length > 3 && word.startsWith(other));
  const scored = types.map((type) => {
    const name = wordsOf(type.name);
    const fields = fieldsOf(type.form).flatMap((f) => [f.title, f.description, ...f.options]);
    const rest = wordsOf([type.description, type.category, ...fields].join(" "));
    const score = asked.reduce(
      (sum, w) => sum + (name.some((o) => isLike(w, o)) ? 3 : rest.some((o) => isLike(w, o)) ? 1 : 0),
      0,
    );
    return { type, score };
  });
  return scored
    .filter((s) => s.score > 0)
    .sort((a, b) => b.score - a.score)
    .map((s) => s.type);
}

/** Custom fields as they are sent: empty ones are left out. */
export function filled(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, v]) => v !== "" && v !== null && v !== undefined),
  );
}

/**
 * A typed amount as the decimal string the server takes: "1.450,5" and "1,450.50" are 1450.50. Null when it is none, and
 * when it could be read in two ways that differ a thousandfold ("12,3456").
 */
export function amountOf(typed: string): string | null {
  const text = typed.replace(/[\s'’]/g, "");
  const found = /^(\d{1,12}|\d{1,3}(?:,\d{3})+|\d{1,3}(?:\.\d{3})+)(?:([.,])(\d{1,2}))?$/.exec(text);
  if (!found?.[1] || (found[2] && found[1].includes(found[2]))) return null;
  const whole = found[1].replace(/[.,]/g, "");
  if (whole.length > 12) return null;
  return `${whole.replace(/^0+(?=\d)/, "")}.${(found[3] ?? "").padEnd(2, "0")}`;
}
