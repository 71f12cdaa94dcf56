/** What can be read without a network. Pure. */

/** How long it is kept: over a long weekend. */
export const LIFE = 3 * 24 * 3_600_000;
/** The most of it: the oldest goes first. */
export const MOST = 200;
/** Characters of one answer: a longer one is not kept. */
export const LARGEST = 300_000;

const OF_A_TICKET = new Set(["comments", "history", "attachments", "surroundings"]);

/** Whether an answer is kept: lists, tickets and their talk, what waits for a decision, and the names of kinds. */
export function isKept(key: readonly unknown[]): boolean {
  const [first, second, third, ...more] = key;
  switch (first) {
    case "tickets":
      if (second === "list" || second === "waiting") return true;
      if (typeof second !== "number" || more.length) return false;
      return third === undefined || (typeof third === "string" && OF_A_TICKET.has(third));
    case "approvals":
      return second === "queue" || second === "summary" || (second === "flow" && typeof third === "number");
    case "ticket-types":
    case "dashboard":
      return second === undefined;
    case "saved-views":
      return second === "list";
    case "notifications":
      return second === "list" || second === "count";
    default:
      return false;
  }
}

/** Whether what it says is what one reads, and not only a count beside it. */
export function isRead(key: readonly unknown[]): boolean {
  return (
    isKept(key) &&
    !["saved-views", "notifications", "ticket-types"].includes(String(key[0])) &&
    key[1] !== "summary"
  );
}

export interface Entry {
  name: string;
  at: number;
}

/** What goes: too old, or more than is kept. */
export function surplus(entries: readonly Entry[], now: number): string[] {
  const newest = [...entries].sort((a, b) => b.at - a.at);
  return newest.filter((entry, n) => n >= MOST || now - entry.at > LIFE).map((entry) => entry.name);
}
