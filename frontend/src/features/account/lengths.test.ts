import { expect, it } from "vitest";
import { ABSOLUTE, IDLE, length, lengths } from "./lengths";

it("a length is said in the largest unit that fits", () => {
  expect([5, 60, 90, 720, 1440, 10_080].map(length)).toEqual([
    "5 minutes",
    "1 hour",
    "90 minutes",
    "12 hours",
    "1 day",
    "7 days",
  ]);
});

it("what is in force can be kept, whatever it is", () => {
  expect(lengths(IDLE, 30).map((one) => one.value)).toEqual(IDLE);
  expect(lengths(IDLE, 45).map((one) => one.value)).toContain(45);
  expect(lengths(ABSOLUTE, 0)).toHaveLength(ABSOLUTE.length);
});
