import { expect, it } from "vitest";
import { fileName, read } from "./files";

it("a file is named as the workflow is", () => {
  expect(fileName("Purchases by amount (2026)")).toBe("purchases-by-amount-2026.workflow.json");
  expect(fileName("Überprüfung")).toBe("uberprufung.workflow.json");
  expect(fileName("…")).toBe("workflow.workflow.json");
  expect(fileName("a".repeat(100))).toBe(`${"a".repeat(60)}.workflow.json`);
});

it("only an object is a workflow", () => {
  expect(read('{"name": "x"}')).toEqual({ name: "x" });
  expect(read("[1]")).toBeNull();
  expect(read("null")).toBeNull();
  expect(read("name;amount")).toBeNull();
});
