/** Pure: one change of a ticket's properties, how it shows at once, and how it is taken back. */
import type { NamedRef, PersonRef, TicketListItem } from "@/api/generated";
import type { Values } from "./conflict";

export const FIELDS = [
  "status",
  "priority",
  "assignee",
  "team",
  "due_date",
  "tags",
  "is_confidential",
] as const;
export type Field = (typeof FIELDS)[number];
export type Shown = Pick<
  TicketListItem,
  "status" | "priority" | "assignee" | "team" | "due_date" | "tags" | "is_confidential" | "version"
>;

/** A field and the value it is to have, as it shows: people and teams with their names. */
export type Patch =
  | { field: "status"; value: TicketListItem["status"] }
  | { field: "priority"; value: TicketListItem["priority"] }
  | { field: "assignee"; value: PersonRef | null }
  | { field: "team"; value: NamedRef | null }
  | { field: "due_date"; value: string | null }
  | { field: "tags"; value: string[] }
  | { field: "is_confidential"; value: boolean };

/** The ticket as it will be. Another team means that nobody has it yet. */
export function patched<T extends Shown>(ticket: T, patch: Patch): T {
  const after = { ...ticket, [patch.field]: patch.value };
  return patch.field === "team" ? { ...after, assignee: null } : after;
}

/** The change that takes this one back, from how the ticket was before it. */
export function opposite(before: Shown, patch: Patch): Patch {
  return { field: patch.field, value: before[patch.field] } as Patch;
}

/** Whether a change changes anything. */
export function isSame(ticket: Shown, patch: Patch): boolean {
  const before = ticket[patch.field];
  const plain = (value: unknown): unknown =>
    typeof value === "object" && value !== null && "id" in value ? value.id : JSON.stringify(value);
  return plain(before) === plain(patch.value);
}

/** Whether approvers look at it now, and may be asked again when it changes: what the server says of it is asked first. */
export function isLookedAt(ticket: Pick<Shown, "status">, patch: Patch): boolean {
  const isJudged = ticket.status === "IN_REVIEW" || ticket.status === "PENDING_INFO";
  return isJudged && (patch.field === "priority" || patch.field === "due_date");
}

/** The values of a ticket by field, as a conflict compares them. */
export function valuesOf(ticket: Shown): Values {
  return Object.fromEntries(FIELDS.map((field) => [field, ticket[field]]));
}

/** What somebody may change of a ticket, by the server's words. */
export function mayChange(actions: string[], field: Field): boolean {
  if (field === "assignee" || field === "team") return actions.includes("assign");
  if (field === "status") return statusesOf(actions, "").length > 0;
  // that it is confidential the team may say and not take back: of this the server's own word counts
  const whole = field !== "is_confidential" && actions.includes("edit");
  return whole || actions.includes(`edit:${field}`);
}

/** The statuses one choice leads to: no step that must be explained, or that takes the request back. */
export function statusesOf(actions: string[], now: string): TicketListItem["status"][] {
  return actions
    .filter((a) => a.startsWith("transition:"))
    .map((a) => a.slice("transition:".length) as TicketListItem["status"])
    .filter((to) => to !== "DRAFT" && !(to === "CLOSED" && now === "DRAFT"))
    .filter((to) => !(to === "IN_REVIEW" && actions.includes("answer")));
}

/** The items whose words begin with what was typed, or hold it, when it is nothing else. */
export function matching<T extends { label: string }>(items: T[], typed: string): T | undefined {
  const asked = typed.trim().toLowerCase();
  if (!asked) return undefined;
  const found = items.filter((i) => i.label.toLowerCase().includes(asked));
  return found.length === 1 ? found[0] : found.find((i) => i.label.toLowerCase() === asked);
}
