/** Pure: a schedule as it is being set up, and in words. */
import type { ScheduleRead, ScheduleSet } from "@/api/generated";
import type { Days, Kind } from "../model";

export const FORMATS = ["PDF", "XLSX", "CSV"] as const;
export type Format = (typeof FORMATS)[number];
export const EVERY = ["DAY", "WEEKDAY", "WEEK", "MONTH"] as const;
export type Every = (typeof EVERY)[number];

/** What is taken away as files: a saved report, or a dashboard with the days it tells of. */
export type Target = { name: string } & (
  { report: number; board?: undefined } | { report?: undefined; board: Kind; days: Days }
);

/** What a schedule sends; null of a report that is gone. */
export function targetOf({ report: r }: Pick<ScheduleRead, "report">): Target | null {
  if (r.board && r.days) return { name: r.name, board: r.board, days: String(r.days) as Days };
  return r.id === null ? null : { name: r.name, report: r.id };
}

/** The page where one looks at it. */
export const placeOf = (target: Target): string =>
  target.board
    ? `/reports?kind=${target.board.toLowerCase()}&days=${target.days}`
    : `/reports/custom/${target.report}`;

export interface Draft {
  subject: string;
  formats: Format[];
  every: Every;
  weekdays: number[];
  day: number;
  at: string;
  zone: string;
  people: number[];
  teams: number[];
  roles: string[];
}

export function emptyDraft(subject: string, zone: string, me: number): Draft {
  return {
    subject,
    formats: ["PDF"],
    every: "WEEK",
    weekdays: [1],
    day: 1,
    at: "08:00",
    zone,
    people: [me],
    teams: [],
    roles: [],
  };
}

export function draftOf(schedule: ScheduleRead): Draft {
  return {
    subject: schedule.subject,
    formats: [...schedule.formats],
    every: schedule.every,
    weekdays: schedule.weekdays.length ? [...schedule.weekdays] : [1],
    day: schedule.day,
    at: schedule.at_time,
    zone: schedule.zone,
    people: schedule.people.map((p) => p.id),
    teams: schedule.teams.map((team) => team.id),
    roles: schedule.roles.map((role) => role.key),
  };
}

/** What is sent; only what its rhythm needs. */
export function bodyOf(draft: Draft, isPaused: boolean): ScheduleSet {
  return {
    subject: draft.subject,
    formats: FORMATS.filter((f) => draft.formats.includes(f)),
    every: draft.every,
    weekdays: draft.every === "WEEK" ? [...draft.weekdays].sort((a, b) => a - b) : [],
    day: draft.every === "MONTH" ? draft.day : 1,
    at_time: draft.at,
    zone: draft.zone,
    person_ids: draft.people,
    team_ids: draft.teams,
    roles: draft.roles,
    is_paused: isPaused,
  };
}

type Say = (key: string, values?: Record<string, unknown>) => string;
/** "Mon, Thu at 08:00 (Europe/Berlin)". `weekdays` are the names of the days from Monday. */
export function whenOf(
  s: Pick<ScheduleRead, "every" | "weekdays" | "day" | "at_time" | "zone">,
  weekdays: string[],
  t: Say,
): string {
  const at = { time: s.at_time, zone: s.zone };
  if (s.every === "WEEK")
    return t("reports.exports.when.WEEK", { days: s.weekdays.map((d) => weekdays[d - 1]).join(", "), ...at });
  if (s.every === "MONTH" && s.day === 31) return t("reports.exports.when.LAST", at);
  return t(`reports.exports.when.${s.every}`, { day: s.day, ...at });
}

/** The days from Monday, in the reader's language. */
export function weekdayNames(style: "short" | "long"): string[] {
  const say = new Intl.DateTimeFormat(undefined, { weekday: style, timeZone: "UTC" });
  return Array.from({ length: 7 }, (_, n) => say.format(new Date(Date.UTC(2024, 0, 1 + n))));
}

export const isGoing = (status: string): boolean => status === "QUEUED" || status === "RUNNING";
