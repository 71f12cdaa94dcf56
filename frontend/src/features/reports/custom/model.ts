/** Pure: a report as it is being made, its result as a table and a picture, and the list behind a number. */
import type { ReportRead, ReportResult } from "@/api/generated";
import type { Json } from "@/shared/conditions/conditions";
import { duration, number } from "@/shared/lib/format";
import { heat, legend, tooltip, type Draw } from "../drawing";
import type { Link, Table } from "../model";

export const CHARTS = ["BAR", "STACKED", "LINE", "HEAT", "TABLE"] as const;
export type ChartKind = (typeof CHARTS)[number];
export interface Draft {
  name: string;
  measures: string[];
  rows: string;
  columns: string;
  condition: Json;
  chart: ChartKind;
  people: number[];
  teams: number[];
  roles: string[];
}
export const NONE = "NONE";

export function emptyDraft(): Draft {
  return {
    name: "",
    measures: ["count"],
    rows: "status",
    columns: NONE,
    condition: null,
    chart: "BAR",
    people: [],
    teams: [],
    roles: [],
  };
}

export function draftOf(report: ReportRead): Draft {
  const d = report.definition;
  return {
    name: report.name,
    measures: [...d.measures],
    rows: d.rows ?? NONE,
    columns: d.columns ?? NONE,
    condition: (d.condition ?? null) as Json,
    chart: d.chart ?? "BAR",
    people: report.people.map((p) => p.id),
    teams: report.teams.map((team) => team.id),
    roles: [...report.roles],
  };
}

/** What is sent. Where rows are told apart by columns, there is one measure. */
export function definitionOf(draft: Draft) {
  const rows = draft.rows === NONE ? null : draft.rows;
  const columns = rows === null || draft.columns === NONE || draft.columns === rows ? null : draft.columns;
  return {
    measures: columns ? draft.measures.slice(0, 1) : draft.measures,
    rows,
    columns,
    condition: draft.condition as Record<string, unknown> | null,
    chart: draft.chart,
  };
}

type Unit = ReportResult["columns"][number]["unit"];
type Value = number | string | null;

/** A number as people read it. */
export function said(value: Value, unit: Unit): string {
  if (value === null) return "–";
  if (unit === "SECONDS") return duration(Number(value) / 3600);
  // working time has no days: a day of work is none of 24 hours
  if (unit === "WORKED_SECONDS")
    return number(Number(value) / 3600, {
      style: "unit",
      unit: "hour",
      unitDisplay: "short",
      maximumFractionDigits: 1,
    });
  if (unit === "SHARE") return number(Number(value), { style: "percent", maximumFractionDigits: 1 });
  if (unit === "MONEY") return number(Number(value), { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return number(Number(value));
}
/** The same as a picture draws it: hours, percent, or as it is. */
export function drawn(value: Value, unit: Unit): number | null {
  if (value === null) return null;
  if (unit === "SECONDS" || unit === "WORKED_SECONDS") return Math.round(Number(value) / 360) / 10;
  return unit === "SHARE" ? Math.round(Number(value) * 1000) / 10 : Number(value);
}

/** The list of tickets a cell counts; undefined where the list has no such field. */
export function drill(
  condition: Json,
  ...parts: (Record<string, unknown>[] | null | undefined)[]
): Link | undefined {
  if (parts.some((p) => p === null)) return undefined;
  const leaves = parts.flatMap((p) => p ?? []) as Json[];
  const all = condition === null ? leaves : [condition, ...leaves];
  return { path: "/tickets", query: all.length ? { condition: JSON.stringify({ all }) } : {} };
}

/** A result with words for codes: what people call a status, a priority or a kind of request. */
export function worded(
  result: ReportResult,
  wordFor: (dimension: string, code: string) => string,
): ReportResult {
  const say = (key: string | undefined, label: string) => (key && label ? wordFor(key, label) : label);
  return {
    ...result,
    columns: result.columns.map((c) => ({ ...c, label: say(result.by?.key, c.label) })),
    lines: result.lines.map((line) => ({ ...line, label: say(result.rows?.key, line.label) })),
  };
}

export function tableOf(result: ReportResult, words: { empty: string; all: string }): Table {
  return {
    columns: [result.rows?.label ?? "", ...result.columns.map((c) => c.label || words.empty)],
    rows: result.lines.map((line) => ({
      cells: [
        result.rows ? line.label || words.empty : words.all,
        ...line.values.map((v, n) => drawn(v, result.columns[n]?.unit ?? "COUNT")),
      ],
    })),
  };
}

const MOST_TOLD = 16; // labels under bars
const LETTER = 7; // pixels across, and between two labels
const BESIDE = 60; // what stands beside the bars
/** Whether labels under bars have room beside each other. */
const areFlat = (labels: string[], room: number): boolean =>
  Math.max(0, ...labels.map((label) => label.length + 1)) * LETTER * labels.length <= room - BESIDE;

export function pictureOf(kind: ChartKind, table: Table): Draw {
  const labels = table.rows.map((r) => String(r.cells[0]));
  return (c, room = 0) => {
    const grid = { left: 4, right: 12, top: 40, bottom: 4, containLabel: true };
    if (kind === "HEAT") {
      const cells = table.rows.flatMap((r, y) =>
        r.cells.slice(1).map((v, x) => [x, y, Number(v ?? 0)] as [number, number, number]),
      );
      return heat(table, labels, table.columns.slice(1), cells)(c, room);
    }
    return {
      grid,
      legend: legend(c, room),
      tooltip: tooltip(c),
      xAxis: {
        type: "category",
        data: labels,
        axisTick: { show: false },
        // every one is told as long as they have room, however narrow the screen is
        axisLabel: {
          color: c.muted,
          ...(labels.length <= MOST_TOLD ? { interval: 0, rotate: areFlat(labels, room) ? 0 : 35 } : {}),
        },
      },
      yAxis: { type: "value", axisLabel: { color: c.muted }, splitLine: { lineStyle: { color: c.border } } },
      series: table.columns.slice(1).map((name, n) => ({
        type: kind === "LINE" ? ("line" as const) : ("bar" as const),
        name,
        stack: kind === "STACKED" ? "all" : undefined,
        barMaxWidth: 36,
        data: table.rows.map((r) => r.cells[n + 1] as number | null),
      })),
    };
  };
}
