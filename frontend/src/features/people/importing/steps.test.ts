import { expect, it } from "vitest";
import { canBeKnown, choicesOf, columnsOf, NONE, partsOf, stepOf } from "./steps";

it("knows the step by the import's state", () => {
  expect(stepOf(null, false)).toBe("file");
  expect(stepOf({ status: "UPLOADED" }, false)).toBe("columns");
  expect(stepOf({ status: "CHECKED" }, false)).toBe("check");
  expect(stepOf({ status: "CHECKED" }, true)).toBe("columns");
  for (const status of ["RUNNING", "FINISHED", "CANCELLED"] as const)
    expect(stepOf({ status }, true)).toBe("result");
});

it("begins with what the headings say, or with what was kept, and says it again", () => {
  const suggested = choicesOf({ plan: null, suggestion: { email: 1, manager: 4 } });
  expect(suggested["email"]).toBe(1);
  expect(suggested["username"]).toBe(NONE);
  expect(columnsOf(suggested)).toEqual({ email: 1, manager: 4 });
  const kept = { columns: { username: 0 }, invites: true };
  expect(columnsOf(choicesOf({ plan: kept, suggestion: { email: 1 } }))).toEqual({ username: 0 });
});

it("needs a username or an address to know people by", () => {
  const none = choicesOf({ plan: null, suggestion: {} });
  expect(canBeKnown(none)).toBe(false);
  expect(canBeKnown({ ...none, email: 0 })).toBe(true);
  expect(canBeKnown({ ...none, username: 2 })).toBe(true);
});

it("says what a table comes to, and leaves out what it does not", () => {
  expect(partsOf({ new: 3, change: 0, same: 9, wrong: 1 })).toEqual([
    { key: "new", n: 3 },
    { key: "wrong", n: 1 },
    { key: "same", n: 9 },
  ]);
});
