/** What a dashboard's charts are: each its words, its table and how it is drawn. */
import type { DashboardRead } from "@/api/generated";
import { duration, number } from "@/shared/lib/format";
import { axes, bars, heat, legend, tooltip, WITH_LEGEND, type Draw } from "./drawing";
import {
  extremes,
  LEVELS,
  linksOf,
  linkTo,
  linkToLevel,
  OPEN,
  shares,
  type Leaf,
  type Link,
  type Table,
} from "./model";

export interface Chart {
  key: string;
  title: string;
  summary: string;
  table: Table;
  draw: Draw;
  tall?: boolean;
  /** The table's columns that are drawn, a series each; all numbers are when this says nothing. */
  series?: number[];
  /** Drawn as a cell for each number of the table. */
  isHeat?: boolean;
  /** Has much beside each other: takes the room of two where there are two, three or four in a row. */
  wide?: 2 | 3 | 4;
}
type Say = (key: string, values?: Record<string, unknown>) => string;
type Names = Record<string, string>;

const hours = (seconds: number | null): number | null => (seconds === null ? null : round(seconds / 3600));
const round = (value: number): number => Math.round(value * 10) / 10;
const took = (seconds: number | null): string => (seconds === null ? "–" : duration(seconds / 3600));
export interface Words {
  t: Say;
  status: Names;
  priority: Names;
  types: Names;
  weekdays: string[];
  /** The same, as briefly as can be. */
  shortDays: string[];
  day: (iso: string) => string;
}

const MOST_MARKED = 31; // days, each with a sign of its own; of more the signs would hide the line
const PRIORITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];
// so chosen that thirteen charts fill their rows, two, three or four in each
const WIDE: Record<string, Chart["wide"]> = { trend: 2, arrivals: 3, approvers: 4 };

export function chartsOf(d: DashboardRead, w: Words): Chart[] {
  const { t } = w;
  const open = { status: OPEN };
  const spans = (s: { from: string | null; to: string | null }): string =>
    s.from && s.to
      ? s.from === s.to
        ? w.day(s.from)
        : t("reports.span", { from: w.day(s.from), to: w.day(s.to) })
      : s.to
        ? t("reports.until", { to: w.day(s.to) })
        : t("reports.since", { from: w.day(s.from ?? "") });
  const made: Chart[] = [];
  const add = (
    key: string,
    summary: string,
    table: Table,
    draw: Chart["draw"],
    tall = false,
    more: Pick<Chart, "series" | "isHeat"> = {},
  ) =>
    made.push({
      key,
      title: t(`reports.chart.${key}`),
      summary,
      table,
      draw,
      tall,
      wide: WIDE[key],
      ...more,
    });
  const requests = t("reports.requests");

  // what comes and goes
  const on = (field: "created_at" | "completed_at", day: string): Link =>
    linkTo(d.narrow, {}, [{ field, from: day, to: day }]);
  const trend: Table = {
    columns: [t("reports.day"), t("reports.created"), t("reports.completed"), t("reports.smooth")],
    rows: d.trend.map((p) => ({
      cells: [w.day(p.date), p.created, p.completed, p.smooth],
      to: on("created_at", p.date),
      links: [undefined, on("created_at", p.date), on("completed_at", p.date)],
    })),
  };
  const sum = (key: "created" | "completed") => d.trend.reduce((all, p) => all + p[key], 0);
  const change = d.season.change;
  add(
    "trend",
    [
      t("reports.trendSays", { created: number(sum("created")), completed: number(sum("completed")) }),
      change === null
        ? ""
        : t(
            Math.abs(change) < 0.05
              ? "reports.changeNone"
              : change > 0
                ? "reports.changeMore"
                : "reports.changeLess",
            {
              share: number(Math.abs(change), { style: "percent", maximumFractionDigits: 0 }),
            },
          ),
    ].join(" "),
    trend,
    (c, room) => ({
      ...axes(
        c,
        trend.rows.map((r) => String(r.cells[0])),
      ),
      grid: WITH_LEGEND,
      legend: legend(c, room),
      tooltip: tooltip(c),
      series: (
        [
          [1, "solid", 2, "circle"],
          [2, "dashed", 2, "rect"],
          [3, "dotted", 2, "none"],
        ] as const
      ).map(([n, type, width, symbol]) => ({
        type: "line" as const,
        name: trend.columns[n],
        data: trend.rows.map((r) => r.cells[n] as number | null),
        symbol,
        showSymbol: trend.rows.length <= MOST_MARKED,
        symbolSize: 5,
        lineStyle: { type, width },
      })),
    }),
    true,
  );

  // what is open
  const ages: Table = {
    columns: [t("reports.age"), ...PRIORITIES.map((p) => w.priority[p] ?? p)],
    rows: d.backlog.map((a) => {
      const made = [{ field: "created_at" as const, from: a.from, to: a.to }];
      return {
        cells: [spans(a), ...PRIORITIES.map((p) => a.by_priority[p] ?? 0)],
        to: linkTo(d.narrow, open, made),
        links: [undefined, ...PRIORITIES.map((p) => linkTo(d.narrow, { ...open, priority: [p] }, made))],
      };
    }),
  };
  const backlog = d.backlog.reduce((all, a) => all + a.count, 0);
  const old = d.backlog.slice(3).reduce((all, a) => all + a.count, 0);
  add(
    "backlog",
    t("reports.backlogSays", { count: number(backlog), old: number(old) }),
    ages,
    bars(ages, true, true),
    true,
  );

  const statuses: Table = {
    columns: [t("reports.status"), requests],
    rows: Object.entries(d.tickets_by_status).map(([status, n]) => ({
      cells: [w.status[status] ?? status, n],
      to: linkTo(d.narrow, { status: [status] }),
    })),
  };
  const all = Object.values(d.tickets_by_status).reduce((a, b) => a + b, 0);
  add("status", t("reports.statusSays", { count: number(all) }), statuses, bars(statuses, true), true);

  // how long it takes
  const lists = linksOf(d);
  const response = t("reports.firstResponse");
  const resolution = t("reports.resolution");
  const spreads = [
    ...(d.first_response_working.count
      ? [[t("reports.working", { what: response }), d.first_response_working, lists.responseWorking] as const]
      : []),
    [response, d.first_response, lists.response],
    ...(d.resolution_working.count
      ? [[t("reports.working", { what: resolution }), d.resolution_working, lists.resolutionWorking] as const]
      : []),
    [resolution, d.resolution, lists.resolution],
  ] as const;
  const times: Table = {
    columns: [t("reports.what"), t("reports.half"), t("reports.most"), t("reports.average"), requests],
    rows: spreads.map(([label, s, to]) => ({
      cells: [label, hours(s.p50), hours(s.p90), hours(s.average), s.count],
      to,
    })),
  };
  add(
    "times",
    t("reports.timesSays", {
      response: took(d.first_response.p50),
      half: took(d.resolution.p50),
      most: took(d.resolution.p90),
    }),
    times,
    bars(times, true, false, " h", [1, 2]),
    false,
    { series: [1, 2] },
  );

  const share = shares(d.parts.map((p) => p.seconds));
  const parts: Table = {
    columns: [t("reports.part"), t("reports.hours"), t("reports.share")],
    rows: d.parts.map((p, n) => ({
      cells: [t(`reports.parts.${p.part}`), hours(p.seconds), share[n] ?? 0],
      to: lists.resolution,
    })),
  };
  add(
    "parts",
    t("reports.partsSays", { approval: share[0], work: share[1], requester: share[2] }),
    parts,
    bars(parts, true, false, "%", [2]),
    false,
    { series: [2] },
  );

  const kept: Table = {
    columns: [t("reports.what"), t("reports.kept"), t("reports.late")],
    rows: [
      {
        cells: [response, d.first_response_level.kept, d.first_response_level.late],
        to: lists.responseWorking,
        links: [undefined, lists.responseKept, lists.responseLate],
      },
      {
        cells: [resolution, d.service_level.kept, d.service_level.late],
        to: lists.judged,
        links: [undefined, lists.kept, lists.late],
      },
    ],
  };
  const inTime = (share: number) => number(share, { style: "percent", maximumFractionDigits: 1 });
  add(
    "level",
    [
      d.service_level.share === null
        ? t("reports.levelNone")
        : t("reports.levelSays", { share: inTime(d.service_level.share) }),
      d.first_response_level.share === null
        ? ""
        : t("reports.responseSays", { share: inTime(d.first_response_level.share) }),
    ].join(" "),
    kept,
    bars(kept, true, true),
  );
  const standing: Table = {
    columns: [t("reports.chart.standing"), requests],
    rows: LEVELS.map((level) => ({
      cells: [t(`reports.standing.${level}`), d.open_by_level[level] ?? 0],
      to: linkToLevel(d.narrow, level),
    })),
  };
  add(
    "standing",
    t("reports.standingSays", {
      late: number(d.open_by_level.BREACHED ?? 0),
      count: number(LEVELS.reduce((n, level) => n + (d.open_by_level[level] ?? 0), 0)),
    }),
    standing,
    bars(standing, true),
  );

  // approvals, apart from the work
  const waitsFor = (id: number, stage: string): Link =>
    linkTo(
      d.narrow,
      {},
      [],
      [
        { field: "waits_for_id", op: "eq", value: id },
        { field: "waits_in_stage", op: "eq", value: stage },
      ],
    );
  const approvers: Table = {
    columns: [t("reports.approver"), t("reports.averageHours"), t("reports.decided"), t("reports.waiting")],
    rows: d.approvers.map((a) => {
      // what they decided is no list: one may be asked twice about the same request
      const waits = a.approver && a.waiting ? waitsFor(a.approver.id, a.stage) : undefined;
      return {
        cells: [`${a.approver?.name ?? "–"} · ${a.stage}`, hours(a.average), a.decided, a.waiting],
        to: waits,
        links: [undefined, undefined, undefined, waits],
      };
    }),
  };
  const waiting = d.approvers.reduce((n, a) => n + a.waiting, 0);
  add(
    "approvers",
    t("reports.approversSays", { waiting: number(waiting) }),
    approvers,
    bars(approvers, true, false, " h", [1]),
    true,
    { series: [1] },
  );
  const stages: Table = {
    columns: [t("reports.stage"), t("reports.half"), t("reports.most"), t("reports.decided")],
    rows: d.stages.map((s) => ({ cells: [s.stage, hours(s.p50), hours(s.p90), s.count] })),
  };
  const slowest = [...d.stages].sort((a, b) => (b.p90 ?? 0) - (a.p90 ?? 0))[0];
  add(
    "stages",
    slowest
      ? t("reports.stagesSays", { stage: slowest.stage, most: took(slowest.p90) })
      : t("reports.stagesNone"),
    stages,
    bars(stages, true, false, " h", [1, 2]),
    false,
    { series: [1, 2] },
  );

  // whose work, and how old
  const isByTeam = d.load.by === "TEAM";
  const whose = (id: number | null): [Record<string, string[]>, Leaf[]] => {
    if (isByTeam)
      return id === null
        ? [open, [{ field: "team_id", op: "is_empty" }]]
        : [{ ...open, team_id: [String(id)] }, []];
    return [{ ...open, assignee_id: [id === null ? "none" : String(id)] }, []];
  };
  const load: Table = {
    columns: [t(isByTeam ? "reports.team" : "reports.assignee"), ...d.load.spans.map(spans)],
    rows: d.load.rows.map((row) => {
      const [filters, leaves] = whose(row.id);
      const list = (made: Parameters<typeof linkTo>[2]): Link =>
        linkTo(isByTeam ? {} : d.narrow, filters, made, leaves);
      return {
        cells: [row.name ?? t("reports.nobody"), ...row.counts],
        to: list([]),
        links: [
          undefined,
          ...d.load.spans.map((s) => list([{ field: "created_at", from: s.from, to: s.to }])),
        ],
      };
    }),
  };
  const busiest = d.load.rows[0];
  const cells = d.load.rows.flatMap((row, y) =>
    row.counts.map((n, x) => [x, y, n] as [number, number, number]),
  );
  add(
    "load",
    busiest
      ? t("reports.loadSays", {
          who: busiest.name ?? t("reports.nobody"),
          count: number(busiest.counts.reduce((a, b) => a + b, 0)),
        })
      : t("reports.nothing"),
    load,
    heat(
      load,
      load.rows.map((r) => String(r.cells[0])),
      load.columns.slice(1),
      cells,
    ),
    true,
    { isHeat: true },
  );

  // when it comes
  const pattern: Table = {
    columns: [t("reports.weekday"), t("reports.perDay")],
    rows: d.season.weekdays.map((n, day) => ({ cells: [w.weekdays[day] ?? "", round(n)] })),
  };
  const stands = extremes(d.season.weekdays);
  add(
    "season",
    stands
      ? t("reports.seasonSays", {
          most: w.weekdays[stands.most],
          least: w.weekdays[stands.least],
          n: number(round(d.season.weekdays[stands.most] ?? 0)),
        })
      : t("reports.seasonNone"),
    pattern,
    bars(
      {
        ...pattern,
        rows: pattern.rows.map((r, n) => ({ cells: [w.shortDays[n] ?? "", ...r.cells.slice(1)] })),
      },
      false,
      false,
      " ",
    ),
  );
  const byHour = Array.from({ length: 7 }, () => Array<number>(24).fill(0));
  for (const a of d.arrivals) byHour[a.weekday]![a.hour]! += a.count;
  const clock = Array.from({ length: 24 }, (_, h) => `${String(h).padStart(2, "0")}`);
  const arrivals: Table = {
    columns: [t("reports.weekday"), ...clock],
    rows: byHour.map((counts, day) => ({ cells: [w.weekdays[day] ?? "", ...counts] })),
  };
  const peak = [...d.arrivals].sort((a, b) => b.count - a.count)[0];
  add(
    "arrivals",
    peak
      ? t("reports.arrivalsSays", { day: w.weekdays[peak.weekday], hour: `${clock[peak.hour]}:00` })
      : t("reports.nothing"),
    arrivals,
    heat(
      arrivals,
      w.weekdays,
      clock,
      byHour.flatMap((c, y) => c.map((n, x) => [x, y, n] as [number, number, number])),
    ),
    true,
    { isHeat: true },
  );

  const types: Table = {
    columns: [t("reports.type"), requests],
    rows: d.by_type.map((b) => ({
      cells: [w.types[b.ticket_type] ?? b.ticket_type, b.count],
      to: linkTo(d.narrow, { ...open, ticket_type: [b.ticket_type] }),
    })),
  };
  add("types", t("reports.typesSays", { count: number(types.rows.length) }), types, bars(types, true));
  return made;
}
