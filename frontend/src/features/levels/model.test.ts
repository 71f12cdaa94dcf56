import { describe, expect, it } from "vitest";
import type { CalendarRead, PolicyRead, YearDay } from "@/api/generated";
import {
  areHours,
  brief,
  calendarBody,
  calendarDraft,
  emptyCalendar,
  emptyPolicy,
  minutesAWeek,
  monthsOf,
  moreHours,
  moved,
  percentsOf,
  policyBody,
  policyDraft,
} from "./model";

const hours = [
  { from: "08:00", to: "12:00" },
  { from: "13:00", to: "17:00" },
];
const calendar: CalendarRead = {
  id: 1,
  name: "Berlin",
  zone: "Europe/Berlin",
  week: [hours, [], [], [], [], [], []],
  in_persons_zone: false,
  is_default: true,
  version: 3,
  updated_at: "2026-11-26T09:30:00Z",
  allowed_actions: ["update"],
  file: null,
  days: [
    { kind: "CLOSED", day: "2026-12-24", month_day: null, hours: null, name: "Eve", source: "MANUAL" },
    { kind: "YEARLY", day: null, month_day: "02-29", hours: null, name: "Leap", source: "MANUAL" },
    { kind: "SPECIAL", day: "2026-12-31", month_day: null, hours, name: "Half", source: "MANUAL" },
    { kind: "CLOSED", day: "2026-12-25", month_day: null, hours: null, name: "From a file", source: "ICAL" },
  ],
};

describe("calendars", () => {
  it("come back as they were read, without what a file closes", () => {
    expect(calendarBody(calendarDraft(calendar), 3)).toEqual({
      name: "Berlin",
      zone: "Europe/Berlin",
      week: calendar.week,
      in_persons_zone: false,
      is_default: true,
      version: 3,
      days: [
        { kind: "CLOSED", day: "2026-12-24", name: "Eve", hours: null },
        { kind: "YEARLY", month_day: "02-29", name: "Leap" },
        { kind: "SPECIAL", day: "2026-12-31", name: "Half", hours },
      ],
    });
  });
  it("begin with five days", () => {
    const draft = emptyCalendar("UTC");
    expect(minutesAWeek(draft.week)).toBe(5 * 600);
    expect(draft.week.every(areHours)).toBe(true);
  });
  it("have hours that ascend", () => {
    expect(areHours(hours)).toBe(true);
    expect(areHours([...hours].reverse())).toBe(false);
    expect(areHours([{ from: "08:00", to: "08:00" }])).toBe(false);
    expect(areHours([{ from: "", to: "08:00" }])).toBe(false);
  });
  it("get more hours behind those there are", () => {
    expect(moreHours([])).toEqual([{ from: "08:00", to: "18:00" }]);
    expect(moreHours(hours).at(-1)).toEqual({ from: "18:00", to: "22:00" });
    expect(moreHours([{ from: "08:00", to: "23:30" }])).toHaveLength(1);
  });
  it("show a year as twelve leaves", () => {
    const days = Array.from({ length: 365 }, (_, n): YearDay => {
      const day = new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10);
      return { day, state: "OPEN", is_open: true, hours: [], usual_hours: [], name: "" };
    });
    const months = monthsOf(days);
    expect(months).toHaveLength(12);
    expect(months[0]?.weeks[0]?.map((d) => d?.day ?? null).slice(2, 4)).toEqual([null, "2026-01-01"]);
    expect(months.flatMap((m) => m.weeks.flat()).filter(Boolean)).toHaveLength(365);
  });
});

describe("policies", () => {
  const read: PolicyRead = {
    id: 1,
    name: "Support",
    position: 1,
    is_active: true,
    version: 2,
    updated_at: "2026-11-26T09:30:00Z",
    calendar: { id: 1, name: "Berlin" },
    condition: null,
    calendar_id: null,
    targets: {
      FIRST_RESPONSE: {
        CRITICAL: { amount: 30, unit: "MINUTES", days: null },
        HIGH: null,
        MEDIUM: null,
        LOW: null,
      },
      NEXT_UPDATE: { CRITICAL: null, HIGH: null, MEDIUM: null, LOW: null },
      RESOLUTION: {
        CRITICAL: { amount: 4, unit: "HOURS", days: null },
        HIGH: { amount: 1, unit: "DAYS", days: "END_OF_DAY" },
        MEDIUM: { amount: 2, unit: "DAYS", days: "BLOCKS" },
        LOW: null,
      },
    },
    own_time: [
      {
        team_id: 7,
        targets: { CRITICAL: { amount: 2, unit: "HOURS", days: null }, HIGH: null, MEDIUM: null, LOW: null },
      },
    ],
    paused: ["PENDING_INFO"],
    counts_approval: false,
    reopening: "RESUME",
    warnings: [50, 75],
    actions: [{ on: "BREACH", do: "TELL_LEADS", metrics: [], percent: null, user_id: null, team_id: null }],
    people: [],
    teams: [],
    broken: [],
    allowed_actions: ["update"],
  };
  it("come back as they were read", () => {
    const body = policyBody(policyDraft(read), 2);
    expect(body.targets).toEqual(read.targets);
    expect(body.own_time).toEqual(read.own_time);
    expect(body.actions).toEqual(read.actions);
    expect(body.warnings).toEqual([50, 75]);
  });
  it("begin without targets", () => {
    expect(policyBody(emptyPolicy(), 1).targets?.RESOLUTION).toEqual({
      CRITICAL: null,
      HIGH: null,
      MEDIUM: null,
      LOW: null,
    });
  });
  it("read percents as people write them", () => {
    expect(percentsOf("50%, 75 ;90")).toEqual([50, 75, 90]);
    expect(percentsOf("")).toEqual([]);
  });
  it("say targets briefly", () => {
    expect(brief({ amount: 30, unit: "MINUTES", days: null })).toBe("30 min");
    expect(brief(null)).toBe("–");
  });
  it("are moved within their list", () => {
    expect(moved([1, 2, 3], 0, 1)).toEqual([2, 1, 3]);
    expect(moved([1, 2, 3], 0, -1)).toEqual([1, 2, 3]);
  });
});
