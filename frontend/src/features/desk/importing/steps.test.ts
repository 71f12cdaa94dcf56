import { expect, it } from "vitest";
import { choicesOf, NONE, planOf, progressOf, stepOf } from "./steps";

it("knows the step by the import's state", () => {
  expect(stepOf(null, false)).toBe("file");
  expect(stepOf({ status: "UPLOADED" }, false)).toBe("columns");
  expect(stepOf({ status: "CHECKING" }, false)).toBe("check");
  expect(stepOf({ status: "CHECKED" }, false)).toBe("check");
  expect(stepOf({ status: "CHECKED" }, true)).toBe("columns");
  expect(stepOf({ status: "CHECKING" }, true)).toBe("check");
  for (const status of ["RUNNING", "FINISHED", "CANCELLED"] as const)
    expect(stepOf({ status }, true)).toBe("result");
});

it("tells how far it is", () => {
  const counts = { pending: 40, ready: 50, wrong: 7, duplicates: 3, done: 0, failed: 0 };
  expect(progressOf({ status: "CHECKING", total: 100, counts })).toEqual([60, 100]);
  expect(
    progressOf({ status: "RUNNING", total: 100, counts: { ...counts, ready: 30, done: 18, failed: 2 } }),
  ).toEqual([20, 50]);
});

it("says columns and defaults, and reads them again", () => {
  const choices = choicesOf(["title", "priority", "status"], { title: 1 }, { priority: "Low" });
  expect(choices).toEqual({
    title: { column: 1, otherwise: "" },
    priority: { column: NONE, otherwise: "Low" },
    status: { column: NONE, otherwise: "" },
  });
  expect(planOf("HR", choices, "dmy")).toEqual({
    ticket_type: "HR",
    columns: { title: 1 },
    defaults: { priority: "Low" },
    dates: "dmy",
  });
});
