import { expect, it } from "vitest";
import { press, reasons, tagsOf } from "./picking";

const rows = [10, 11, 12, 13, 14];

it("flips one row", () => {
  expect([...press(new Set(), rows, 12, null, 9)]).toEqual([12]);
  expect([...press(new Set([12]), rows, 12, null, 9)]).toEqual([]);
});

it("sets a range to what its end becomes, in both directions", () => {
  expect([...press(new Set([10]), rows, 12, 10, 9)]).toEqual([10, 11, 12]);
  expect([...press(new Set([13]), rows, 11, 13, 9)]).toEqual([13, 11, 12]);
  expect([...press(new Set([10, 11, 12]), rows, 12, 11, 9)]).toEqual([10]);
});

it("takes no more than there may be, and a start that is gone is none", () => {
  expect(press(new Set(), rows, 14, 10, 3).size).toBe(3);
  expect([...press(new Set(), rows, 11, 99, 9)]).toEqual([11]);
});

it("counts reasons", () => {
  const no = (detail: string) => ({ error: { detail } });
  expect(reasons([no("b"), no("a"), { error: null }, no("a")])).toEqual([
    ["a", 2],
    ["b", 1],
  ]);
});

it("reads tags", () => {
  expect(tagsOf(" vpn, new hire;vpn ,")).toEqual(["vpn", "new hire"]);
  expect(tagsOf(" , ")).toEqual([]);
});
