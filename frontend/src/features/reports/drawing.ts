/** Pure: how bars, lines and heat maps are drawn, in the colours of the page and the room (pixels across) there is. */
import type { EChartsOption } from "echarts";
import { number } from "@/shared/lib/format";
import type { Table } from "./model";
import type { Colours } from "./palette";

export type Draw = (colours: Colours, room?: number) => EChartsOption;
/** As on a phone. */
const NARROW = 320;
const isNarrow = (room: number): boolean => room < NARROW;

export const GRID = { left: 4, right: 12, top: 12, bottom: 4, containLabel: true };
export const WITH_LEGEND = { ...GRID, top: 34 };

const LONG = 20; // letters of a label that may want a second line
const MOST_BROKEN = 10;

/** A label in two lines, as even as its words allow; a sign between words ends the first. */
export function inTwo(label: string): string {
  const half = (label.length - 1) / 2;
  const blanks = [...label.matchAll(/ (?![·–] )/g)].map((found) => found.index);
  const at = blanks.sort((a, b) => Math.abs(a - half) - Math.abs(b - half))[0];
  return at === undefined ? label : `${label.slice(0, at)}\n${label.slice(at + 1)}`;
}

export function axes(
  c: Colours,
  labels: string[],
  isAcross = false,
  unit = "",
  room = Infinity,
): EChartsOption {
  const isLong = labels.some((label) => label.length > LONG);
  const words = {
    type: "category" as const,
    data: labels,
    axisLabel:
      isAcross && isLong
        ? {
            color: c.muted,
            width: isNarrow(room) ? 104 : 130,
            fontSize: 11,
            lineHeight: 12,
            overflow: "truncate" as const, // the table has the whole words
            // two lines have room beside a bar as long as there are few
            ...(labels.length > MOST_BROKEN
              ? {}
              : { formatter: (label: string) => (label.length > LONG ? inTwo(label) : label) }),
          }
        : { color: c.muted },
    axisLine: { lineStyle: { color: c.border } },
    axisTick: { show: false },
    inverse: isAcross,
  };
  const values = {
    type: "value" as const,
    minInterval: unit ? undefined : 1,
    splitNumber: isAcross ? (isNarrow(room) ? 2 : 3) : undefined,
    ...(unit === "%" ? { max: 100, interval: isNarrow(room) ? 50 : 25 } : {}),
    axisLabel: { color: c.muted, hideOverlap: true, formatter: (v: number) => `${number(v)}${unit}` },
    splitLine: { lineStyle: { color: c.border } },
  };
  return isAcross ? { xAxis: values, yAxis: words } : { xAxis: words, yAxis: values };
}
export const legend = (c: Colours, room = Infinity) => ({
  type: "scroll" as const,
  top: 0,
  left: 0,
  textStyle: { color: c.text, ...(isNarrow(room) ? { fontSize: 11 } : {}) },
  itemWidth: isNarrow(room) ? 12 : 16,
  itemHeight: 10,
  itemGap: isNarrow(room) ? 5 : 8,
  pageIconColor: c.text,
  pageIconInactiveColor: c.muted,
  pageIconSize: 11,
  pageTextStyle: { color: c.muted },
});

/** What is told of all series at one place. */
export const tooltip = (c: Colours) => ({
  trigger: "axis" as const,
  renderMode: "richText" as const,
  backgroundColor: c.surface,
  borderColor: c.border,
  textStyle: { color: c.text },
});

/** Bars of one or several series; `rows` are words first, then a number for each series. */
export function bars(table: Table, isAcross: boolean, isStacked = false, unit = "", columns?: number[]) {
  return (c: Colours, room = Infinity): EChartsOption => {
    const shown = columns ?? table.columns.slice(1).map((_, n) => n + 1);
    return {
      ...axes(
        c,
        table.rows.map((r) => String(r.cells[0] ?? "")),
        isAcross,
        unit,
        room,
      ),
      grid: shown.length > 1 ? WITH_LEGEND : GRID,
      legend: shown.length > 1 ? legend(c, room) : undefined,
      series: shown.map((n) => ({
        type: "bar" as const,
        name: table.columns[n],
        stack: isStacked ? "all" : undefined,
        barMaxWidth: 28,
        data: table.rows.map((r) => r.cells[n] as number | null),
      })),
    };
  };
}

const BESIDE = 116; // pixels of a heat map that are not its cells
/** Letters as large as a cell has room for under it. */
const small = (cell: number) =>
  cell < 54 ? { fontSize: 9, lineHeight: 10 } : { fontSize: 11, lineHeight: 12 };

export function heat(table: Table, down: string[], across: string[], counts: [number, number, number][]) {
  const most = Math.max(1, ...counts.map((p) => p[2]));
  const isFew = across.length <= MOST_BROKEN;
  return (c: Colours, room = Infinity): EChartsOption => ({
    grid: { ...GRID, bottom: 44 },
    xAxis: {
      type: "category",
      data: across,
      axisLabel: {
        color: c.muted,
        // a few all have room, in two lines
        ...(isFew ? { interval: 0, formatter: inTwo, ...small((room - BESIDE) / across.length) } : {}),
      },
      axisTick: { show: false },
    },
    yAxis: {
      type: "category",
      data: down,
      inverse: true,
      axisLabel: {
        color: c.muted,
        width: isNarrow(room) ? 70 : 92,
        lineHeight: 13,
        overflow: down.length > MOST_BROKEN ? "truncate" : "break",
      },
      axisTick: { show: false },
    },
    visualMap: {
      min: 0,
      max: most,
      text: [number(most), number(0)],
      calculable: false,
      orient: "horizontal",
      left: 0,
      bottom: 0,
      itemHeight: 90,
      itemWidth: 12,
      textStyle: { color: c.muted },
      inRange: { color: [c.low, c.high] },
    },
    aria: { enabled: true, label: { enabled: false } }, // a shade is no kind: the numbers stand in the cells and the table
    series: [
      {
        type: "heatmap",
        name: table.columns.at(-1),
        data: counts,
        itemStyle: { borderColor: c.surface, borderWidth: 1 },
      },
    ],
  });
}
