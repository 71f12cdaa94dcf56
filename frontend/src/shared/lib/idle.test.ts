import { expect, it } from "vitest";
import { isNews, standing, warnedAt } from "./idle";

const MINUTES = 60_000;

it("two minutes before the end it is warned of, of a short one a fifth", () => {
  expect(warnedAt(1800)).toBe(1680);
  expect(warnedAt(300)).toBe(240);
});

it("used, ending, over", () => {
  expect(standing(0, 27 * MINUTES, 1800)).toEqual({ is: "used" });
  expect(standing(0, 28 * MINUTES, 1800)).toEqual({ is: "ending", seconds: 120 });
  expect(standing(0, 30 * MINUTES - 1, 1800)).toEqual({ is: "ending", seconds: 1 });
  expect(standing(0, 30 * MINUTES, 1800)).toEqual({ is: "over" });
});

it("a clock that was set back ends nothing", () => {
  expect(standing(10 * MINUTES, 0, 1800)).toEqual({ is: "used" });
});

it("the server hears of use every five minutes at most, and often enough of a short one", () => {
  expect(isNews(5 * MINUTES, 0, 43_200)).toBe(false);
  expect(isNews(5 * MINUTES + 1, 0, 43_200)).toBe(true);
  expect(isNews(76_000, 0, 300)).toBe(true);
  expect(isNews(75_000, 0, 300)).toBe(false);
});
