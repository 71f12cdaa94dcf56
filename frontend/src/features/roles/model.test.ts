import { describe, expect, it } from "vitest";
import type { PermissionItem } from "@/api/generated";
import { choices, differences, endOfDay, keyFor, matching, rooms, step, withScope } from "./model";

const item = (permission: string, scopes: string[] = [], kept = false): PermissionItem =>
  ({
    permission,
    room: permission.split(":")[0],
    label_key: permission.replace(":", "."),
    scopes,
    is_privileged: false,
    is_kept_by_administrators: kept,
  }) as PermissionItem;

describe("roles", () => {
  it("groups permissions by room", () => {
    const found = rooms([item("audit:read"), item("roles:read"), item("roles:configure")]);
    expect(found.map((r) => [r.room, r.items.length])).toEqual([
      ["audit", 1],
      ["roles", 2],
    ]);
  });

  it("finds a permission by its word or its label", () => {
    const items = [item("audit:read"), item("roles:read")];
    const label = (word: string) => (word === "audit:read" ? "Read the audit trail" : "See roles");
    expect(matching(items, "trail", label)).toEqual([items[0]]);
    expect(matching(items, "read roles", label)).toEqual([items[1]]);
    expect(matching(items, "", label)).toEqual(items);
    expect(matching(items, "nothing", label)).toEqual([]);
  });

  it("tells what differs", () => {
    expect(differences({ a: "OWN", b: "ALL", c: "ALL" }, { a: "TEAM", c: "ALL", d: "OWN" })).toEqual([
      { permission: "a", before: "OWN", after: "TEAM" },
      { permission: "b", before: "ALL", after: null },
      { permission: "d", before: null, after: "OWN" },
    ]);
    expect(differences({ a: "OWN" }, { a: "OWN" })).toEqual([]);
  });

  it("sets and takes a permission without touching the others", () => {
    const before = { a: "OWN", b: "ALL" } as const;
    expect(withScope(before, "a", null)).toEqual({ b: "ALL" });
    expect(withScope(before, "a", "TEAM")).toEqual({ a: "TEAM", b: "ALL" });
    expect(before).toEqual({ a: "OWN", b: "ALL" });
  });

  it("offers what makes a difference, and keeps an administrator one", () => {
    expect(choices(item("audit:read"), { key: "agent" }, "admin")).toEqual([null, "ALL"]);
    expect(choices(item("tickets:work", ["TEAM", "ALL"]), { key: "agent" }, "admin")).toEqual([
      null,
      "TEAM",
      "ALL",
    ]);
    expect(choices(item("roles:configure", [], true), { key: "admin" }, "admin")).toEqual(["ALL"]);
    expect(choices(item("roles:configure", [], true), { key: "agent" }, "admin")).toEqual([null, "ALL"]);
  });

  it("walks a grid within its edges", () => {
    const size = { rows: 3, columns: 4 };
    expect(step("ArrowRight", { row: 0, column: 0 }, size)).toEqual({ row: 0, column: 1 });
    expect(step("ArrowUp", { row: 0, column: 1 }, size)).toEqual({ row: 0, column: 1 });
    expect(step("PageDown", { row: 0, column: 1 }, size)).toEqual({ row: 2, column: 1 });
    expect(step("End", { row: 1, column: 1 }, size)).toEqual({ row: 1, column: 3 });
    expect(step("Home", { row: 1, column: 3 }, size)).toEqual({ row: 1, column: 0 });
    expect(step("x", { row: 1, column: 3 }, size)).toBeNull();
  });

  it("makes a key of a name", () => {
    expect(keyFor("Façade & lead", [])).toBe("facade_lead");
    expect(keyFor("Agent", ["agent", "agent_2"])).toBe("agent_3");
    expect(keyFor("42", [])).toBe("role");
  });

  it("takes a day as its end", () => {
    expect(endOfDay("")).toBeNull();
    expect(endOfDay("2030-02-31x")).toBeNull();
    expect(new Date(endOfDay("2030-02-03")!).getHours()).toBe(23);
  });
});
