import { expect, it } from "vitest";
import type { DepartmentRead } from "@/api/generated";
import { branches, within } from "./tree";

const department = (id: number, name: string, parent: number | null, people_count = 1): DepartmentRead => ({
  id,
  name,
  parent: parent === null ? null : { id: parent, name: "" },
  head: null,
  people_count,
  version: 1,
});

const company = [
  department(3, "Brand", 2, 4),
  department(2, "Marketing", 1, 2),
  department(1, "Company", null, 1),
  department(4, "Facilities", 1, 5),
];

it("stands each below the one it belongs to, by name", () => {
  expect(branches(company).map((b) => [b.department.name, b.level, b.everybody, b.children])).toEqual([
    ["Company", 1, 12, 2],
    ["Facilities", 2, 5, 0],
    ["Marketing", 2, 6, 1],
    ["Brand", 3, 4, 0],
  ]);
});

it("shows what belongs to nothing it knows at the top", () => {
  expect(branches([department(5, "Alone", 99)])).toHaveLength(1);
});

it("knows what lies within", () => {
  expect([...within(company, 2)].sort()).toEqual([2, 3]);
  expect(within(company, 1).size).toBe(4);
});
