/** Pure: what one was told, gathered by the request it is about. */
import type { NotificationRead } from "@/api/generated";

export interface Group {
  key: string;
  ticket: NotificationRead["ticket"];
  /** Newest first. */
  items: NotificationRead[];
  unread: number;
}

/**
 * Notices by request, the one that moved last first; what is about no request stands with what says the same. Each
 * notice once.
 */
export function byTicket(notices: NotificationRead[]): Group[] {
  const groups = new Map<string, Group>();
  const seen = new Set<number>();
  for (const notice of [...notices].sort((a, b) => b.id - a.id)) {
    if (seen.has(notice.id)) continue;
    seen.add(notice.id);
    const key = notice.ticket ? `ticket-${notice.ticket.id}` : `notice-${notice.title}`;
    const group = groups.get(key) ?? { key, ticket: notice.ticket, items: [], unread: 0 };
    group.items.push(notice);
    if (!notice.read_at) group.unread++;
    groups.set(key, group);
  }
  return [...groups.values()];
}

export const SHOWN = 2;

/** What is shown of a group at first: the newest, and whatever is not read yet up to a handful. */
export function shownOf(group: Group, isOpen: boolean): NotificationRead[] {
  if (isOpen) return group.items;
  const unread = group.items.filter((n) => !n.read_at).slice(0, 5);
  const newest = group.items.slice(0, SHOWN);
  return group.items.filter((n) => newest.includes(n) || unread.includes(n));
}
