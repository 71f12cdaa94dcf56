import { expect, it } from "vitest";
import type { MentionRead } from "@/api/generated";
import { groupsOf, placeOf } from "./model";

const mention = (kind: string, how: string, id: number | null = 1, count = 1): MentionRead => ({
  kind,
  how,
  id,
  count,
  name: `${kind} ${id}`,
});

it("puts what waits first, and counts what is not named", () => {
  const groups = groupsOf([
    mention("team", "member"),
    mention("ticket", "approver", 4),
    mention("ticket", "approver", null, 7),
    mention("ticket", "assignee", 5),
    mention("surprise", "somehow"),
  ]);
  expect(groups.map((g) => g.key)).toEqual([
    "ticket.approver",
    "ticket.assignee",
    "team.member",
    "surprise.somehow",
  ]);
  expect(groups[0]?.count).toBe(8);
  expect(groups.map((g) => g.byItself)).toEqual(["goesOn", null, null, null]);
});

it("knows where each is set", () => {
  expect(placeOf(mention("ticket", "approver", 4))).toBe("/tickets/4");
  expect(placeOf(mention("ticket", "approver", null))).toBeNull();
  expect(placeOf(mention("approval_workflow", "approver", 2))).toBe("/settings/workflows/2");
  expect(placeOf(mention("person", "manager", 9))).toBe("/settings/people/9");
  expect(placeOf(mention("person", "manager", null))).toBeNull();
  expect(placeOf(mention("routing_rule", "assignee"))).toBe("/settings/routing");
  expect(placeOf(mention("team", "lead"))).toBe("/settings/teams");
  expect(placeOf(mention("delegation", "delegate"))).toBe("/approvals/away");
  expect(placeOf(mention("department", "head"))).toBeNull();
});
