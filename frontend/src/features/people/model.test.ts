import { expect, it } from "vitest";
import type { MentionRead, UserRead } from "@/api/generated";
import { changes, differences, formOf, groupsOf, NONE, placeOf, valuesOf } from "./model";

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
  expect(placeOf(mention("automation_rule", "told", 5))).toBe("/settings/automation/5");
  expect(placeOf(mention("automation_rule", "assignee", null))).toBe("/settings/automation");
  expect(placeOf(mention("team", "lead"))).toBe("/settings/teams");
  expect(placeOf(mention("delegation", "delegate"))).toBe("/approvals/away");
  expect(placeOf(mention("department", "head"))).toBe("/settings/departments");
  expect(placeOf(mention("surprise", "somehow"))).toBeNull();
});

const person = {
  id: 3,
  username: "jane",
  email: "jane@example.com",
  first_name: "Jane",
  last_name: "Doe",
  job_title: "",
  department: { id: 2, name: "Marketing" },
  manager: { id: 9, username: "mike", name: "Mike" },
  timezone: "UTC",
  locale: "en",
} as UserRead;

it("sends only what differs", () => {
  const form = formOf(person);
  expect(changes(person, form)).toEqual({});
  expect(changes(person, { ...form, first_name: " Jane ", job_title: "Editor " })).toEqual({
    job_title: "Editor",
  });
  expect(changes(person, { ...form, department: NONE, manager_id: null })).toEqual({
    department_id: null,
    manager_id: null,
  });
});

it("begins empty for a new person", () => {
  expect(valuesOf(formOf())).toMatchObject({
    username: "",
    department_id: null,
    manager_id: null,
    locale: "en",
  });
});

it("tells what an event changed", () => {
  expect(differences({ before: { a: 1 }, after: { a: 2 } })).toEqual([{ field: "a", before: 1, after: 2 }]);
  expect(differences({ roles: ["agent"] })).toEqual([]);
});
