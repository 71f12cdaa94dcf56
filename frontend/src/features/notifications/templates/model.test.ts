import { expect, it } from "vitest";
import { compared, kindOf, lineOf, putIn, rangeOf, slugOf } from "./model";

const shown = (before: string, after: string) =>
  compared(before, after).map((l) => ({ same: " ", gone: "-", new: "+" })[l.kind] + l.text);

it("compares line by line", () => {
  expect(shown("a\nb\nc", "a\nx\nc")).toEqual([" a", "-b", "+x", " c"]);
  expect(shown("a", "a\nb")).toEqual([" a", "+b"]);
  expect(shown("a\nb", "b")).toEqual(["-a", " b"]);
  expect(shown("", "a")).toEqual(["-", "+a"]);
  expect(shown("a\nb\nc\nd", "c\nd\na\nb")).toEqual(["-a", "-b", " c", " d", "+a", "+b"]);
});

it("both texts can be read from what was compared", () => {
  const before = "Hello\n\nWorld\nx";
  const after = "Hello\nWorld\n\ny\nx";
  const lines = compared(before, after);
  const without = (kind: string) =>
    lines
      .filter((l) => l.kind !== kind)
      .map((l) => l.text)
      .join("\n");
  expect(without("new")).toBe(before);
  expect(without("gone")).toBe(after);
});

it("a kind has an address", () => {
  expect(slugOf("approval.decided_for_you")).toBe("approval-decided_for_you");
  expect(kindOf(slugOf("approval.decided_for_you"))).toBe("approval.decided_for_you");
});

it("puts words where the caret is", () => {
  expect(putIn("ab", 1, 1, "X")).toEqual({ text: "aXb", caret: 2 });
  expect(putIn("abc", 0, 3, "X")).toEqual({ text: "X", caret: 1 });
});

it("finds the line of a mistake", () => {
  expect(lineOf("line 12: there is no value x")).toBe(12);
  expect(lineOf("is too long")).toBeNull();
  expect(lineOf(undefined)).toBeNull();
  expect(rangeOf("ab\ncde\nf", 2)).toEqual([3, 6]);
  expect(rangeOf("ab", 9)).toEqual([0, 2]);
});
