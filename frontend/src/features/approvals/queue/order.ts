/** The order of the queue, and what moves in it. Pure. */
import type { QueueItem } from "@/api/generated";

const RANK: Record<string, number> = { CRITICAL: 4, HIGH: 3, MEDIUM: 2, LOW: 1 };

/** As the server sorts: priority, then deadline; what waits for a requester's answer stands last. */
export function byUrgency(a: QueueItem, b: QueueItem): number {
  return (
    Number(a.status !== "PENDING") - Number(b.status !== "PENDING") ||
    (RANK[b.ticket.priority] ?? 0) - (RANK[a.ticket.priority] ?? 0) ||
    a.due_at.localeCompare(b.due_at) ||
    a.id - b.id
  );
}

/** What takes the place of one that leaves the list: the next, or at the end the one before. */
export function following(list: QueueItem[], id: number | undefined): QueueItem | undefined {
  const at = list.findIndex((item) => item.id === id);
  return at < 0 ? list[0] : (list[at + 1] ?? list[at - 1]);
}

export const isEmergency = (item: QueueItem) => item.ticket.priority === "CRITICAL";
