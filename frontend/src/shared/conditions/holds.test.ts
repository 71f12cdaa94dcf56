import { expect, it } from "vitest";
import type { Json } from "./conditions";
import { fieldsIn, fold, holds } from "./holds";
import { readVectors } from "./vectors";

const vectors = readVectors();
const { kinds } = vectors;

it("answers as the server does, case by case", () => {
  const other = vectors.conditions.filter((v) => holds(v.condition, v.record, kinds) !== v.holds);
  expect(other).toEqual([]);
  expect(vectors.conditions.length).toBeGreaterThan(500);
  expect(new Set(vectors.conditions.map((v) => v.holds))).toEqual(new Set([true, false]));
});

it("folds letters as the server does", () => {
  expect(fold(vectors.letters.given)).toBe(vectors.letters.folded);
});

it("knows nothing of fields that are none", () => {
  expect(holds({ field: "surprise", op: "is_empty" }, {}, kinds)).toBe(false);
  expect(holds({ field: "title", op: "like", value: "a" }, { title: "a" }, kinds)).toBe(false);
  expect(holds("always", {}, kinds)).toBe(false);
});

it("compares numbers exactly, however they are written", () => {
  const isAbove = (given: number, limit: string) =>
    holds({ field: "custom.size", op: "gt", value: limit }, { "custom.size": given }, kinds);
  expect(isAbove(0.1 + 0.2, "0.3")).toBe(true);
  expect(isAbove(1e21, "999999999999999999")).toBe(true);
  expect(isAbove(1e-7, "0")).toBe(true);
  expect(isAbove(-1e-7, "0")).toBe(false);
});

it("names the fields it looks at", () => {
  const leaf = (field: string): Json => ({ field, op: "is_empty" });
  expect(fieldsIn({ all: [leaf("a"), { not: leaf("b") }, { any: [leaf("custom.c")] }] })).toEqual([
    "a",
    "b",
    "custom.c",
  ]);
  expect(fieldsIn(null)).toEqual([]);
});
