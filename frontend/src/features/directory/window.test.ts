import { expect, it } from "vitest";
import { daysOf, windowOf } from "./window";

const whole = (from: string, to: string) => windowOf({ from, to, fromTime: "", toTime: "" });
const say = {
  day: (at: Date) => `${at.getDate()}.${at.getMonth() + 1}.`,
  time: (at: Date) => `${at.getHours()}:${String(at.getMinutes()).padStart(2, "0")}`,
};

it("whole days last to the end of the last one", () => {
  const week = whole("2026-11-23", "2026-11-27");
  expect(week).not.toBeNull();
  expect(new Date(week?.starts_at ?? "")).toEqual(new Date(2026, 10, 23));
  expect(new Date(week?.ends_at ?? "")).toEqual(new Date(2026, 10, 28));
  expect(daysOf(week as NonNullable<typeof week>, say)).toBe("23.11. – 27.11.");
  const day = whole("2026-11-23", "2026-11-23");
  expect(daysOf(day as NonNullable<typeof day>, say)).toBe("23.11.");
});

it("takes times where they are given", () => {
  const noon = windowOf({ from: "2026-11-23", to: "2026-11-23", fromTime: "12:00", toTime: "15:30" });
  expect(daysOf(noon as NonNullable<typeof noon>, say)).toBe("23.11., 12:00 – 15:30");
  const longer = windowOf({ from: "2026-11-23", to: "2026-11-24", fromTime: "12:00", toTime: "" });
  expect(daysOf(longer as NonNullable<typeof longer>, say)).toBe("23.11., 12:00 – 25.11., 0:00");
});

it("is none without days, or backwards", () => {
  expect(whole("", "2026-11-23")).toBeNull();
  expect(whole("2026-11-23", "")).toBeNull();
  expect(whole("2026-11-24", "2026-11-22")).toBeNull();
  expect(whole("nonsense", "2026-11-22")).toBeNull();
  expect(whole("2026-11-22", "nonsense")).toBeNull();
  expect(windowOf({ from: "2026-11-23", to: "2026-11-23", fromTime: "15:00", toTime: "15:00" })).toBeNull();
});
