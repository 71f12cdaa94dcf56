/** Pure: what names a person, in the order it matters before they leave, and where each is set. */
import type { MentionRead, UserRead } from "@/api/generated";

const ORDER = [
  "ticket",
  "approval_workflow",
  "routing_rule",
  "sla_policy",
  "automation_rule",
  "delegation",
  "department",
  "team",
  "person",
  "saved_view",
  "own_view",
  "canned_reply",
];

/** What becomes of it by itself when they leave. */
const BY_ITSELF: Record<string, "goesOn" | "ends"> = {
  "ticket.approver": "goesOn",
  "delegation.delegator": "ends",
  "delegation.delegate": "ends",
};

export interface Group {
  key: string;
  kind: string;
  how: string;
  items: MentionRead[];
  count: number;
  byItself: "goesOn" | "ends" | null;
}

/** Mentions of one kind and one way together; a kind nobody here knows comes last. */
export function groupsOf(mentions: MentionRead[]): Group[] {
  const found = new Map<string, Group>();
  for (const mention of mentions) {
    const key = `${mention.kind}.${mention.how}`;
    const group = found.get(key) ?? {
      key,
      kind: mention.kind,
      how: mention.how,
      items: [],
      count: 0,
      byItself: BY_ITSELF[key] ?? null,
    };
    group.items.push(mention);
    group.count += mention.count;
    found.set(key, group);
  }
  const place = (kind: string) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
  return [...found.values()].sort((a, b) => place(a.kind) - place(b.kind));
}

/** Where something is looked at or changed; null when there is no such screen. */
export function placeOf(mention: MentionRead): string | null {
  switch (mention.kind) {
    case "ticket":
      return mention.id === null ? null : `/tickets/${mention.id}`;
    case "approval_workflow":
      return mention.id === null ? null : `/settings/workflows/${mention.id}`;
    case "sla_policy":
      return mention.id === null ? null : `/settings/service-levels/policies/${mention.id}`;
    case "routing_rule":
      return "/settings/routing";
    case "automation_rule":
      return mention.id === null ? "/settings/automation" : `/settings/automation/${mention.id}`;
    case "team":
      return "/settings/teams";
    case "department":
      return "/settings/departments";
    case "person":
      return mention.id === null ? null : `/settings/people/${mention.id}`;
    case "delegation":
      return "/approvals/away";
    default:
      return null;
  }
}

/** Stands in a select for nothing: a select has no empty value. */
export const NONE = "none";

export interface PersonValues {
  username: string;
  email: string;
  first_name: string;
  last_name: string;
  job_title: string;
  department_id: number | null;
  manager_id: number | null;
  timezone: string;
  locale: string;
}
export type PersonFields = Omit<PersonValues, "department_id"> & { department: string };

/** What a form begins with. */
export function formOf(person?: UserRead): PersonFields {
  return {
    username: person?.username ?? "",
    email: person?.email ?? "",
    first_name: person?.first_name ?? "",
    last_name: person?.last_name ?? "",
    job_title: person?.job_title ?? "",
    department: person?.department ? String(person.department.id) : NONE,
    manager_id: person?.manager?.id ?? null,
    timezone: person?.timezone ?? "UTC",
    locale: person?.locale ?? "en",
  };
}

/** What a form says, as the server takes it. */
export function valuesOf({ department, ...form }: PersonFields): PersonValues {
  return {
    ...form,
    username: form.username.trim(),
    email: form.email.trim(),
    first_name: form.first_name.trim(),
    last_name: form.last_name.trim(),
    job_title: form.job_title.trim(),
    department_id: department === NONE ? null : Number(department),
  };
}

/** Only what differs: what somebody else changed meanwhile is not written over. */
export function changes(person: UserRead | undefined, form: PersonFields): Partial<PersonValues> {
  const before = valuesOf(formOf(person));
  const after = valuesOf(form);
  return Object.fromEntries(
    Object.entries(after).filter(([key, value]) => value !== before[key as keyof PersonValues]),
  );
}

/** The fields an event tells of, with before and after; none where it tells of something else. */
export function differences(
  told: Record<string, unknown>,
): { field: string; before: unknown; after: unknown }[] {
  const { before, after } = told;
  if (typeof before !== "object" || typeof after !== "object" || !before || !after) return [];
  const old = before as Record<string, unknown>;
  return Object.entries(after).map(([field, value]) => ({ field, before: old[field], after: value }));
}
