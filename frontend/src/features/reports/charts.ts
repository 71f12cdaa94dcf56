/** What a dashboard's charts are: each its words, its table and how it is drawn. */
import type { EChartsOption } from "echarts";
import type { DashboardRead } from "@/api/generated";
import { duration, number } from "@/shared/lib/format";
import { axes, bars, heat, legend, tooltip, WITH_LEGEND } from "./drawing";
import { extremes, LEVELS, linksOf, linkTo, linkToLevel, OPEN, shares, type Table } from "./model";
import type { Colours } from "./palette";

export interface Chart {
  key: string;
  title: string;
  summary: string;
  table: Table;
  draw: (colours: Colours) => EChartsOption;
  tall?: boolean;
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
  day: (iso: string) => string;
}

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
  const add = (key: string, summary: string, table: Table, draw: Chart["draw"], tall = false) =>
    made.push({ key, title: t(`reports.chart.${key}`), summary, table, draw, tall, wide: WIDE[key] });
  const requests = t("reports.requests");

  // what comes and goes
  const trend: Table = {
    columns: [t("reports.day"), t("reports.created"), t("reports.completed"), t("reports.smooth")],
    rows: d.trend.map((p) => ({
      cells: [w.day(p.date), p.created, p.completed, p.smooth],
      to: linkTo(d.narrow, {}, [{ field: "created_at", from: p.date, to: p.date }]),
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
    (c) => ({
      ...axes(
        c,
        trend.rows.map((r) => String(r.cells[0])),
      ),
      grid: WITH_LEGEND,
      legend: legend(c),
      tooltip: tooltip(c),
      series: (
        [
          [1, "solid", 2, "circle"],
          [2, "dashed", 2, "rect"],
          [3, "dotted", 1.5, "none"],
        ] as const
      ).map(([n, type, width, symbol]) => ({
        type: "line" as const,
        name: trend.columns[n],
        data: trend.rows.map((r) => r.cells[n] as number | null),
        symbol,
        symbolSize: 5,
        lineStyle: { type, width },
      })),
    }),
    true,
  );

  // what is open
  const ages: Table = {
    columns: [t("reports.age"), ...["CRITICAL", "HIGH", "MEDIUM", "LOW"].map((p) => w.priority[p] ?? p)],
    rows: d.backlog.map((a) => ({
      cells: [spans(a), ...["CRITICAL", "HIGH", "MEDIUM", "LOW"].map((p) => a.by_priority[p] ?? 0)],
      to: linkTo(d.narrow, open, [{ field: "created_at", ...a }]),
    })),
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
    bars(parts, true, false, " %", [2]),
  );

  const kept: Table = {
    columns: [t("reports.what"), t("reports.kept"), t("reports.late")],
    rows: [
      {
        cells: [response, d.first_response_level.kept, d.first_response_level.late],
        to: lists.responseWorking,
      },
      { cells: [resolution, d.service_level.kept, d.service_level.late], to: lists.judged },
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
  const approvers: Table = {
    columns: [t("reports.approver"), t("reports.averageHours"), t("reports.decided"), t("reports.waiting")],
    rows: d.approvers.map((a) => ({
      cells: [`${a.approver?.name ?? "–"} · ${a.stage}`, hours(a.average), a.decided, a.waiting],
    })),
  };
  const waiting = d.approvers.reduce((n, a) => n + a.waiting, 0);
  add(
    "approvers",
    t("reports.approversSays", { waiting: number(waiting) }),
    approvers,
    bars(approvers, true, false, " h", [1]),
    true,
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
  );

  // whose work, and how old
  const by = d.load.by === "TEAM" ? "team_id" : "assignee_id";
  const load: Table = {
    columns: [t(d.load.by === "TEAM" ? "reports.team" : "reports.assignee"), ...d.load.spans.map(spans)],
    rows: d.load.rows.map((row) => ({
      cells: [row.name ?? t("reports.nobody"), ...row.counts],
      to:
        row.id !== null
          ? linkTo(by === "team_id" ? {} : d.narrow, { ...open, [by]: [String(row.id)] })
          : by === "assignee_id"
            ? linkTo(d.narrow, { ...open, assignee_id: ["none"] })
            : undefined,
    })),
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
    bars(pattern, false, false, " "),
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
