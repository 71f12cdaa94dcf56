import { expect, it } from "vitest";
import type { RuleRead } from "@/api/generated";
import { bodyOf, byRule, copyOf, draftOf, emptyDraft, isSame, lacking, moved } from "./model";

const read: RuleRead = {
  key: "k1",
  name: "Large",
  condition: { all: [] },
  team_id: 1,
  priority: "HIGH",
  assign: "ROUND_ROBIN",
  assignee_id: null,
  stops: false,
  is_active: true,
  broken: null,
  unreachable: null,
};

it("a rule goes to the server as it came", () => {
  const { broken, unreachable, ...kept } = read;
  expect([broken, unreachable]).toEqual([null, null]);
  expect(bodyOf(draftOf(read))).toEqual(kept);
});

it("somebody is named only where a person gets it", () => {
  expect(bodyOf({ ...draftOf(read), assignee_id: 7 }).assignee_id).toBeNull();
  expect(bodyOf({ ...draftOf(read), assign: "PERSON", assignee_id: 7 }).assignee_id).toBe(7);
});

it("knows whether anything was changed, not when it was read", () => {
  expect(isSame([draftOf(read)], [draftOf(read)])).toBe(true);
  expect(isSame([draftOf(read)], [{ ...draftOf(read), name: "Other" }])).toBe(false);
  expect(isSame([draftOf(read)], [])).toBe(false);
});

it("a copy is a rule of its own", () => {
  const one = draftOf(read);
  const copy = copyOf(one, "Large (copy)");
  expect(copy).toMatchObject({ key: null, name: "Large (copy)", team_id: 1 });
  expect(copy.id).not.toBe(one.id);
});

it("moves one place and stops at the ends", () => {
  const list = ["a", "b", "c"];
  expect(moved(list, 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(list, 2, -1)).toEqual(["a", "c", "b"]);
  expect(moved(list, 0, -1)).toBe(list);
  expect(moved(list, 2, 1)).toBe(list);
  expect(moved(list, 9, 0)).toBe(list);
});

it("says what is missing", () => {
  expect(lacking(emptyDraft())).toEqual({ name: "name", then: "nothing" });
  expect(lacking({ ...emptyDraft(), name: "x", assign: "PERSON" })).toEqual({ assignee_id: "person" });
  expect(lacking(draftOf(read))).toEqual({});
});

it("gives each rule its mistakes", () => {
  const found = byRule([
    { pointer: "/rules/1/condition/all/0/value", message: "a" },
    { pointer: "/rules/1", message: "b" },
    { pointer: "/rules", message: "c" },
    { pointer: "/note", message: "d" },
  ]);
  expect(found.get(1)).toEqual([
    { pointer: "/condition/all/0/value", message: "a" },
    { pointer: "", message: "b" },
  ]);
  expect(found.get(-1)?.map((m) => m.pointer)).toEqual(["/rules", "/note"]);
});
