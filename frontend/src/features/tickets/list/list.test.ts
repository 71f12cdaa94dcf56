import { describe, expect, it } from "vitest";
import { areShown, COLUMNS, columnsOf, fit, moved, NARROWEST, roomFor, USUAL, WIDEST } from "./columns";
import { newOnes, stepped } from "./rows";

describe("new rows", () => {
  it("are those above what both have", () => {
    expect(newOnes([1, 2, 3], [9, 1, 2, 3])).toEqual([9]);
    expect(newOnes([1, 2, 3], [9, 1, 8, 2, 7])).toEqual([9, 8]);
    expect(newOnes([1, 2, 3], [1, 2, 3])).toEqual([]);
    expect(newOnes([1, 2, 3], [2, 3, 4])).toEqual([]);
  });
  it("are all of a list that was empty, and of one with nothing in common", () => {
    expect(newOnes([], [1, 2])).toEqual([1, 2]);
    expect(newOnes([5], [1, 2])).toEqual([1, 2]);
    expect(newOnes([5], [])).toEqual([]);
  });
});

it("steps stay in the list", () => {
  expect(stepped(-1, 1, 3)).toBe(0);
  expect(stepped(-1, -1, 3)).toBe(2);
  expect(stepped(2, 1, 3)).toBe(2);
  expect(stepped(1, -5, 3)).toBe(0);
  expect(stepped(0, 1, 0)).toBe(-1);
});

describe("columns", () => {
  const keys = (list: { key: string }[]) => list.map((c) => c.key);
  it("are known, once, and always with the title", () => {
    expect(keys(columnsOf([]))).toEqual(USUAL);
    expect(keys(columnsOf(["odd"]))).toEqual(USUAL);
    expect(keys(columnsOf(["number", "status", "status", "odd"]))).toEqual(["number", "title", "status"]);
    expect(keys(columnsOf(["status", "title"]))).toEqual(["status", "title"]);
    expect(keys(columnsOf(["status"]))).toEqual(["title", "status"]);
  });
  it("of a view are shown, whatever it names that lists do not have", () => {
    expect(areShown([], ["title"])).toBe(true);
    expect(areShown(["number", "custom.gone", "status"], ["number", "title", "status"])).toBe(true);
    expect(areShown(["number", "status"], ["number", "title"])).toBe(false);
    expect(areShown(["odd"], USUAL)).toBe(true);
  });
  it("move and keep to the edges", () => {
    expect(moved(["a", "b", "c"], "a", 1)).toEqual(["b", "a", "c"]);
    expect(moved(["a", "b", "c"], "a", -1)).toEqual(["a", "b", "c"]);
    expect(moved(["a", "b", "c"], "c", 9)).toEqual(["a", "b", "c"]);
    expect(moved(["a"], "x", 1)).toEqual(["a"]);
  });
  it("have a width one can read", () => {
    expect(fit(1)).toBe(NARROWEST);
    expect(fit(9999)).toBe(WIDEST);
    expect(fit(100.4)).toBe(100);
  });
  it("leave where there is no room, the least telling first", () => {
    expect(roomFor(COLUMNS, {}, 9999)).toHaveLength(COLUMNS.length);
    expect(keys(roomFor(columnsOf(USUAL), {}, 700))).toEqual([
      "number",
      "title",
      "status",
      "priority",
      "created",
    ]);
    expect(keys(roomFor(columnsOf(USUAL), {}, 0))).toEqual(["title", "status"]);
    expect(keys(roomFor(columnsOf(["title", "team"]), { team: 400 }, 500))).toEqual(["title"]);
  });
});
