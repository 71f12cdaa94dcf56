import { describe, expect, it } from "vitest";
import type { TicketListItem } from "@/api/generated";
import { changedOf, clashes, flat, same, settled, type Change } from "./conflict";
import {
  isLookedAt,
  isSame,
  matching,
  mayChange,
  opposite,
  patched,
  statusesOf,
  valuesOf,
  type Shown,
} from "./patch";

const ada = { id: 1, username: "ada", name: "Ada Brandt" };
const bob = { id: 2, username: "bob", name: "Bob Ito" };
const at = "2026-03-01T10:00:00Z";
const change = (field: string, value: unknown): Change => ({ field, value, by: bob, at });

describe("two who change one ticket", () => {
  it("clash only where both wrote, and not the same", () => {
    const read = { priority: "LOW", title: "A", tags: ["x"] };
    const theirs = [change("priority", "HIGH"), change("title", "B")];
    expect(clashes(read, { priority: "MEDIUM" }, theirs)).toEqual([
      { field: "priority", mine: "MEDIUM", theirs: "HIGH", by: bob, at },
    ]);
    expect(clashes(read, { priority: "HIGH" }, theirs)).toEqual([]);
    expect(clashes(read, { tags: [] }, theirs)).toEqual([]);
    expect(clashes(read, { title: "A" }, theirs)).toEqual([]);
    expect(clashes(read, { priority: "MEDIUM" }, [change("priority", "LOW")])).toEqual([]);
    expect(clashes(read, { priority: "MEDIUM" }, [change("priority", undefined)])[0]?.theirs).toBeNull();
  });

  it("look at a form field by field", () => {
    const read = { custom_fields: { code: "A", reason: "old", gone: "x" } };
    const mine = { custom_fields: { code: "B", reason: "old" } };
    const theirs = [change("custom_fields", { code: "C", reason: "new", gone: "x" })];
    expect(clashes(read, mine, theirs).map((c) => [c.field, c.mine, c.theirs])).toEqual([
      ["custom_fields.code", "B", "C"],
    ]);
    expect(settled(read, mine, theirs, {})).toEqual({ custom_fields: { code: "B", reason: "new" } });
    expect(settled(read, mine, theirs, { "custom_fields.code": "theirs" })).toEqual({
      custom_fields: { code: "C", reason: "new" },
    });
    expect(settled(read, mine, [], {})).toEqual({ custom_fields: { code: "B", reason: "old" } });
    expect(settled({}, { custom_fields: { code: "B" } }, [], {})).toEqual({ custom_fields: { code: "B" } });
  });

  it("send nothing of what was given up", () => {
    const theirs = [change("priority", "HIGH")];
    expect(settled({}, { priority: "LOW", title: "T" }, theirs, { priority: "theirs" })).toEqual({
      title: "T",
    });
    expect(settled({}, { priority: "LOW" }, theirs, { priority: "mine" })).toEqual({ priority: "LOW" });
    const read = { custom_fields: { a: 1 } };
    const form = [change("custom_fields", { a: 3 })];
    const chosen = { "custom_fields.a": "theirs" as const };
    expect(settled(read, { custom_fields: { a: 2 } }, form, chosen)).toEqual({});
  });

  it("compare values as people read them", () => {
    expect(same({ a: 1, b: [{ c: 1 }] }, { b: [{ c: 1 }], a: 1 })).toBe(true);
    expect(same(undefined, null)).toBe(true);
    expect(same(["a", "b"], ["b", "a"])).toBe(false);
    expect(flat({ custom_fields: null, title: "x" })).toEqual({ custom_fields: null, title: "x" });
    expect(changedOf({ a: 1, b: 2 }, { a: 1, b: 3 })).toEqual({ b: 3 });
  });
});

const ticket: Shown = {
  status: "APPROVED",
  priority: "LOW",
  assignee: ada,
  team: { id: 1, name: "IT Support" },
  due_date: null,
  tags: ["vpn"],
  is_confidential: false,
  version: 3,
};

describe("a change", () => {
  it("shows at once and can be taken back", () => {
    const patch = { field: "priority", value: "HIGH" } as const;
    expect(patched(ticket, patch).priority).toBe("HIGH");
    expect(opposite(ticket, patch)).toEqual({ field: "priority", value: "LOW" });
    expect(patched(patched(ticket, patch), opposite(ticket, patch))).toEqual(ticket);
    expect(patched(ticket, { field: "team", value: { id: 2, name: "HR" } }).assignee).toBeNull();
    expect(valuesOf(ticket).tags).toEqual(["vpn"]);
  });

  it("is none when the value is there already", () => {
    expect(isSame(ticket, { field: "assignee", value: { ...ada, name: "other" } })).toBe(true);
    expect(isSame(ticket, { field: "assignee", value: null })).toBe(false);
    expect(isSame(ticket, { field: "tags", value: ["vpn"] })).toBe(true);
    expect(isSame(ticket, { field: "due_date", value: at })).toBe(false);
  });

  it("is offered as far as the server allows", () => {
    expect(mayChange(["edit"], "priority")).toBe(true);
    expect(mayChange(["edit:priority"], "priority")).toBe(true);
    expect(mayChange(["edit:priority"], "tags")).toBe(false);
    expect(mayChange(["edit"], "is_confidential")).toBe(false);
    expect(mayChange(["edit", "edit:is_confidential"], "is_confidential")).toBe(true);
    expect(mayChange(["assign"], "team")).toBe(true);
    expect(mayChange(["assign"], "status")).toBe(false);
    expect(mayChange(["transition:IN_PROGRESS"], "status")).toBe(true);
  });

  it("leads to the statuses that need no words", () => {
    const actions = ["transition:COMPLETED", "transition:CLOSED", "edit"];
    expect(statusesOf(actions, "IN_PROGRESS")).toEqual(["COMPLETED", "CLOSED"]);
    expect(statusesOf(["transition:CLOSED"], "DRAFT")).toEqual([]);
    expect(statusesOf(["answer", "transition:IN_REVIEW", "transition:DRAFT"], "PENDING_INFO")).toEqual([]);
    expect(statusesOf(["transition:IN_REVIEW"], "SUBMITTED" satisfies TicketListItem["status"])).toEqual([
      "IN_REVIEW",
    ]);
  });

  it("is what was typed when only one fits", () => {
    const items = [{ label: "High" }, { label: "Highest" }, { label: "Low" }];
    expect(matching(items, "lo")).toBe(items[2]);
    expect(matching(items, "high")).toBe(items[0]);
    expect(matching(items, "h")).toBeUndefined();
    expect(matching(items, " ")).toBeUndefined();
  });
});

it("approvers look at what they judge, while they do", () => {
  const priority = { field: "priority", value: "HIGH" } as const;
  expect(isLookedAt({ status: "IN_REVIEW" }, priority)).toBe(true);
  expect(isLookedAt({ status: "PENDING_INFO" }, { field: "due_date", value: null })).toBe(true);
  expect(isLookedAt({ status: "IN_REVIEW" }, { field: "tags", value: [] })).toBe(false);
  expect(isLookedAt({ status: "IN_PROGRESS" }, priority)).toBe(false);
});
