/** Calendars and policies as the forms hold them. Pure. */
import type {
  ActionRead,
  CalendarRead,
  CalendarUpdate,
  DayBody,
  HoursBody,
  PolicyRead,
  PolicyTried,
  PolicyUpdate,
  PolicyVersionRead,
  TargetRead,
  YearDay,
} from "@/api/generated";

export type Hours = HoursBody[];
export interface DayDraft {
  id: number;
  kind: DayBody["kind"];
  day: string;
  hours: Hours;
  name: string;
}
export interface CalendarDraft {
  name: string;
  zone: string;
  week: Hours[];
  days: DayDraft[];
  in_persons_zone: boolean;
  is_default: boolean;
}

let made = 0;
export const emptyDay = (): DayDraft => ({ id: ++made, kind: "CLOSED", day: "", hours: [], name: "" });
const OFFICE: Hours = [{ from: "08:00", to: "18:00" }];

export const emptyCalendar = (zone: string): CalendarDraft => ({
  name: "",
  zone,
  week: [0, 1, 2, 3, 4, 5, 6].map((n) => (n < 5 ? OFFICE.map((h) => ({ ...h })) : [])),
  days: [],
  in_persons_zone: false,
  is_default: false,
});

/** A calendar as one edits it: the days set by hand. A day of every year is a date whose year does not matter. */
export function calendarDraft(read: CalendarRead): CalendarDraft {
  return {
    name: read.name,
    zone: read.zone,
    week: read.week.map((hours) => hours.map((h) => ({ ...h }))),
    days: read.days
      .filter((d) => d.source === "MANUAL")
      .map((d) => ({
        id: ++made,
        kind: d.kind,
        day: d.day ?? `2024-${d.month_day ?? "01-01"}`,
        hours: (d.hours ?? []).map((h) => ({ ...h })),
        name: d.name,
      })),
    in_persons_zone: read.in_persons_zone,
    is_default: read.is_default,
  };
}

export function calendarBody(draft: CalendarDraft, version: number): CalendarUpdate {
  const days = draft.days.map((d): DayBody => {
    if (d.kind === "YEARLY") return { kind: d.kind, month_day: d.day.slice(5), name: d.name.trim() };
    return { kind: d.kind, day: d.day, name: d.name.trim(), hours: d.kind === "SPECIAL" ? d.hours : null };
  });
  return {
    ...draft,
    name: draft.name.trim(),
    week: draft.week as CalendarUpdate["week"],
    days,
    version,
  };
}

const LEAP_YEAR = 2024;
const two = (n: number) => String(n).padStart(2, "0");
const lastOf = (month: string) => new Date(Date.UTC(LEAP_YEAR, Number(month), 0)).getUTCDate();

/** A day of every year as it is kept while it is edited; within its month. */
export const yearly = (month: string, day: string): string =>
  `${LEAP_YEAR}-${month}-${two(Math.min(Number(day), lastOf(month)))}`;

/** The days a month can have, as they are chosen from. */
export const daysOf = (month: string) =>
  Array.from({ length: lastOf(month) }, (_, n) => ({ value: two(n + 1), label: String(n + 1) }));

/** The months by name, as they are chosen from. */
export function monthsIn(locale: string) {
  const name = new Intl.DateTimeFormat(locale, { month: "long", timeZone: "UTC" });
  return Array.from({ length: 12 }, (_, n) => ({
    value: two(n + 1),
    label: name.format(Date.UTC(LEAP_YEAR, n, 1)),
  }));
}

/** The next hours of a day, behind those there are: an hour after them, as far as the day goes. */
export function moreHours(hours: Hours): Hours {
  const last = hours.at(-1);
  if (!last) return [{ from: "08:00", to: "18:00" }];
  const from = minutesOf(last.to) + 60;
  if (from >= 24 * 60) return hours;
  return [...hours, { from: timeOf(from), to: timeOf(Math.min(from + 240, 24 * 60)) }];
}
export const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
export const timeOf = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;

/** Whether hours of a day ascend, none empty, none inside another. */
export const areHours = (hours: Hours) =>
  hours.every(
    (h, n) =>
      h.from !== "" &&
      h.to !== "" &&
      minutesOf(h.from) < minutesOf(h.to) &&
      (n === 0 || minutesOf(h.from) >= minutesOf(hours[n - 1]?.to ?? "00:00")),
  );

/** The working minutes of a week. */
export const minutesAWeek = (week: Hours[]) =>
  week.flat().reduce((sum, h) => sum + Math.max(0, minutesOf(h.to) - minutesOf(h.from)), 0);

export interface Month {
  month: number;
  /** Weeks of seven days, Monday first; null where another month is. */
  weeks: (YearDay | null)[][];
}

/** The days of a year as twelve leaves of a calendar. */
export function monthsOf(days: YearDay[]): Month[] {
  return Array.from({ length: 12 }, (_, month) => {
    const own = days.filter((d) => Number(d.day.slice(5, 7)) === month + 1);
    const first = own[0] ? (new Date(`${own[0].day}T00:00:00Z`).getUTCDay() + 6) % 7 : 0;
    const cells: (YearDay | null)[] = [...Array<null>(first).fill(null), ...own];
    while (cells.length % 7) cells.push(null);
    return {
      month,
      weeks: Array.from({ length: cells.length / 7 }, (_w, w) => cells.slice(w * 7, w * 7 + 7)),
    };
  });
}

// --- policies -------------------------------------------------------------------------------------------------------

export const METRICS = ["FIRST_RESPONSE", "NEXT_UPDATE", "RESOLUTION"] as const;
export const PRIORITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW"] as const;
export type Metric = (typeof METRICS)[number];
export type Priority = (typeof PRIORITIES)[number];
/** How an amount is counted: a day is one of two things. */
export const COUNTS = ["MINUTES", "HOURS", "WORKING_DAYS", "DAY_BLOCKS"] as const;
export type Count = (typeof COUNTS)[number];
export interface TargetDraft {
  amount: string;
  count: Count;
}
export type TargetDrafts = Record<Priority, TargetDraft>;
export interface PolicyDraft {
  name: string;
  is_active: boolean;
  note: string;
  condition: PolicyRead["condition"];
  calendar_id: number | null;
  targets: Record<Metric, TargetDrafts>;
  own_time: { id: number; team_id: number | null; targets: TargetDrafts }[];
  paused: PolicyRead["paused"];
  counts_approval: boolean;
  reopening: PolicyRead["reopening"];
  warnings: string;
  actions: (ActionRead & { id: number })[];
}

const emptyTarget = (): TargetDraft => ({ amount: "", count: "HOURS" });
const eachPriority = (of: (p: Priority) => TargetDraft): TargetDrafts => ({
  CRITICAL: of("CRITICAL"),
  HIGH: of("HIGH"),
  MEDIUM: of("MEDIUM"),
  LOW: of("LOW"),
});
export const emptyTargets = () => eachPriority(emptyTarget);
export const newId = () => ++made;

function targetDraft(read: TargetRead | null | undefined): TargetDraft {
  if (!read) return emptyTarget();
  const count = read.unit !== "DAYS" ? read.unit : read.days === "BLOCKS" ? "DAY_BLOCKS" : "WORKING_DAYS";
  return { amount: String(read.amount), count };
}
function targetBody(draft: TargetDraft): TargetRead | null {
  if (draft.amount.trim() === "") return null;
  const amount = Number(draft.amount);
  if (draft.count === "MINUTES" || draft.count === "HOURS") return { amount, unit: draft.count, days: null };
  return { amount, unit: "DAYS", days: draft.count === "DAY_BLOCKS" ? "BLOCKS" : "END_OF_DAY" };
}
const targetsBody = (drafts: TargetDrafts) =>
  Object.fromEntries(PRIORITIES.map((p) => [p, targetBody(drafts[p])]));

export const emptyPolicy = (): PolicyDraft => ({
  name: "",
  is_active: true,
  note: "",
  condition: null,
  calendar_id: null,
  targets: { FIRST_RESPONSE: emptyTargets(), NEXT_UPDATE: emptyTargets(), RESOLUTION: emptyTargets() },
  own_time: [],
  paused: ["PENDING_INFO"],
  counts_approval: false,
  reopening: "RESUME",
  warnings: "75",
  actions: [],
});

type PolicyText = Omit<PolicyVersionRead, "version" | "changed_at" | "note" | "differs"> & {
  is_active: boolean;
};

export function policyDraft(read: PolicyText): PolicyDraft {
  const targets = (metric: Metric) => eachPriority((p) => targetDraft(read.targets[metric]?.[p]));
  return {
    name: read.name,
    is_active: read.is_active,
    note: "",
    condition: read.condition,
    calendar_id: read.calendar_id,
    targets: {
      FIRST_RESPONSE: targets("FIRST_RESPONSE"),
      NEXT_UPDATE: targets("NEXT_UPDATE"),
      RESOLUTION: targets("RESOLUTION"),
    },
    own_time: read.own_time.map((one) => ({
      id: newId(),
      team_id: one.team_id,
      targets: eachPriority((p) => targetDraft(one.targets[p])),
    })),
    paused: [...read.paused],
    counts_approval: read.counts_approval,
    reopening: read.reopening,
    warnings: read.warnings.join(", "),
    actions: read.actions.map((a) => ({ ...a, id: newId() })),
  };
}

/** "50, 75" as numbers; what is none stays for the server to name. */
export const percentsOf = (written: string) =>
  written
    .split(/[\s,;%]+/)
    .filter(Boolean)
    .map(Number);

export const policyBody = (draft: PolicyDraft, version: number): PolicyUpdate => ({
  ...triedBody(draft),
  note: draft.note.trim(),
  version,
});

/** What is sent to try a policy out: all it says. */
export function triedBody(draft: PolicyDraft) {
  return {
    name: draft.name.trim(),
    is_active: draft.is_active,
    condition: draft.condition,
    calendar_id: draft.calendar_id,
    targets: Object.fromEntries(METRICS.map((m) => [m, targetsBody(draft.targets[m])])),
    own_time: draft.own_time
      .filter((one) => one.team_id !== null)
      .map((one) => ({ team_id: one.team_id ?? 0, targets: targetsBody(one.targets) })),
    paused: draft.paused,
    counts_approval: draft.counts_approval,
    reopening: draft.reopening,
    warnings: percentsOf(draft.warnings),
    actions: draft.actions.map(({ on, do: what, metrics, percent, user_id, team_id }) => ({
      on,
      do: what,
      metrics,
      percent,
      user_id,
      team_id,
    })),
  } satisfies PolicyTried;
}

/** A target in the fewest words: "4 h", "30 min", "2 d". */
export function brief(read: TargetRead | null | undefined): string {
  if (!read) return "–";
  return `${read.amount} ${{ MINUTES: "min", HOURS: "h", DAYS: "d" }[read.unit]}`;
}

export function moved<T>(list: T[], n: number, by: number): T[] {
  const to = n + by;
  if (to < 0 || to >= list.length) return list;
  const next = [...list];
  const [one] = next.splice(n, 1);
  if (one !== undefined) next.splice(to, 0, one);
  return next;
}

/** Working time in hours and minutes: "1 h 30 min"; it has no days, for a day of work is none of 24 hours. */
export function long(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  return [hours ? `${hours} h` : "", minutes % 60 || !hours ? `${minutes % 60} min` : ""]
    .filter(Boolean)
    .join(" ");
}
