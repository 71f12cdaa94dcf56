/** Pure: what names a person, in the order it matters before they leave, and where each is set. */
import type { MentionRead } from "@/api/generated";

const ORDER = [
  "ticket",
  "approval_workflow",
  "routing_rule",
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
    case "routing_rule":
      return "/settings/routing";
    case "team":
      return "/settings/teams";
    case "person":
      return mention.id === null ? null : `/settings/people/${mention.id}`;
    case "delegation":
      return "/approvals/away";
    default:
      return null;
  }
}
