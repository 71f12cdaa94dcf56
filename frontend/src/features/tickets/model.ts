/** Pure: what a ticket list is narrowed to, and how the address says it. */
import type { LocationQuery } from "vue-router";

export { amountOf, fieldsOf, filled, missing, type FormField } from "./formModel";

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
