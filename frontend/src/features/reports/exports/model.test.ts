import { describe, expect, it } from "vitest";
import type { ScheduleRead } from "@/api/generated";
import { bodyOf, draftOf, emptyDraft, placeOf, targetOf, whenOf } from "./model";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const say = (key: string, values?: Record<string, unknown>) =>
  `${key.replace("reports.exports.when.", "")} ${JSON.stringify(values)}`;
const schedule = {
  subject: "Mondays",
  formats: ["CSV", "PDF"],
  every: "WEEK",
  weekdays: [1, 4],
  day: 1,
  at_time: "08:00",
  zone: "Europe/Berlin",
  people: [{ id: 3, username: "manager", name: "Mike Okafor" }],
  teams: [{ id: 2, name: "IT Support" }],
  roles: [{ key: "executive", name: "Executive" }],
} as ScheduleRead;

describe("a schedule", () => {
  it("leads to what it sends", () => {
    const of = (id: number | null, board: "AGENT" | null, days: number | null) =>
      targetOf({ report: { id, name: "N", board, days } });
    expect(of(7, null, null)).toEqual({ name: "N", report: 7 });
    expect(of(null, "AGENT", 30)).toEqual({ name: "N", board: "AGENT", days: "30" });
    expect(of(null, null, null)).toBeNull();
    expect(placeOf({ name: "N", report: 7 })).toBe("/reports/custom/7");
    expect(placeOf({ name: "N", board: "AGENT", days: "30" })).toBe("/reports?kind=agent&days=30");
  });
  it("is sent as it was read", () => {
    expect(bodyOf(draftOf(schedule), true)).toEqual({
      subject: "Mondays",
      formats: ["PDF", "CSV"],
      every: "WEEK",
      weekdays: [1, 4],
      day: 1,
      at_time: "08:00",
      zone: "Europe/Berlin",
      person_ids: [3],
      team_ids: [2],
      roles: ["executive"],
      is_paused: true,
    });
  });

  it("says only what its rhythm needs", () => {
    const draft = { ...emptyDraft("x", "UTC", 1), every: "MONTH" as const, day: 15, weekdays: [2] };
    expect(bodyOf(draft, false)).toMatchObject({ weekdays: [], day: 15 });
    expect(bodyOf({ ...draft, every: "DAY" }, false)).toMatchObject({ weekdays: [], day: 1 });
  });

  it("reads as people say it", () => {
    expect(whenOf(schedule, DAYS, say)).toContain('"days":"Mon, Thu"');
    expect(whenOf({ ...schedule, every: "MONTH", day: 31 }, DAYS, say)).toMatch(/^LAST/);
    expect(whenOf({ ...schedule, every: "MONTH", day: 5 }, DAYS, say)).toMatch(/^MONTH .*"day":5/);
  });
});
