import { expect, it } from "vitest";
import type { NotificationRead } from "@/api/generated";
import { byTicket, shownOf } from "./grouping";

const notice = (id: number, ticket: number | null, isRead = false): NotificationRead => ({
  id,
  kind: "comment.created",
  title: `N${id}`,
  body: "",
  ticket: ticket ? { id: ticket, ticket_number: `T-${ticket}` } : null,
  link: "/",
  created_at: "2026-11-23T09:30:00Z",
  read_at: isRead ? "2026-11-23T09:31:00Z" : null,
});

it("gathers by request, the last moved first", () => {
  const groups = byTicket([
    notice(5, 1),
    notice(4, 2, true),
    notice(3, null),
    notice(2, 1, true),
    notice(5, 1),
  ]);
  expect(groups.map((g) => [g.key, g.items.map((n) => n.id), g.unread])).toEqual([
    ["ticket-1", [5, 2], 1],
    ["ticket-2", [4], 0],
    ["notice-N3", [3], 1],
  ]);
});

it("gathers what says the same and is about no request", () => {
  const same = [7, 3].map((id) => ({ ...notice(id, null), title: "An old sign-in of yours was ended" }));
  const groups = byTicket([...same, notice(5, null)]);
  expect(groups.map((g) => g.items.map((n) => n.id))).toEqual([[7, 3], [5]]);
});

it("puts what came back in its place again", () => {
  expect(byTicket([notice(1, 1), notice(9, 2)]).map((g) => g.key)).toEqual(["ticket-2", "ticket-1"]);
});

it("shows the newest, and what is not read yet", () => {
  const group = byTicket([9, 8, 7, 6, 5].map((id) => notice(id, 1, id !== 6)))[0]!;
  expect(shownOf(group, false).map((n) => n.id)).toEqual([9, 8, 6]);
  expect(shownOf(group, true)).toHaveLength(5);
  const many = byTicket(Array.from({ length: 9 }, (_, n) => notice(n + 1, 1)))[0]!;
  expect(shownOf(many, false).map((n) => n.id)).toEqual([9, 8, 7, 6, 5]);
});
