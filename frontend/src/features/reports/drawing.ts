/** Pure: how bars, lines and heat maps are drawn, in the colours of the page. */
import type { EChartsOption } from "echarts";
import { number } from "@/shared/lib/format";
import type { Table } from "./model";
import type { Colours } from "./palette";

export const GRID = { left: 4, right: 12, top: 12, bottom: 4, containLabel: true };
export const WITH_LEGEND = { ...GRID, top: 34 };

const LONG = 20; // letters of a label that may want a second line
const MOST_BROKEN = 10;

/** A label in two lines, as even as its words allow. */
function inTwo(label: string): string {
  const half = (label.length - 1) / 2;
  const blanks = [...label.matchAll(/ /g)].map((found) => found.index);
  const at = blanks.sort((a, b) => Math.abs(a - half) - Math.abs(b - half))[0];
  return at === undefined ? label : `${label.slice(0, at)}\n${label.slice(at + 1)}`;
}

export function axes(c: Colours, labels: string[], isAcross = false, unit = ""): EChartsOption {
  const isLong = labels.some((label) => label.length > LONG);
  const words = {
    type: "category" as const,
    data: labels,
    axisLabel:
      isAcross && isLong
        ? {
            color: c.muted,
            width: 130,
            fontSize: 11,
            lineHeight: 11,
            // two lines have room beside a bar as long as there are few; the table has the whole words
            overflow: labels.length > MOST_BROKEN ? ("truncate" as const) : ("break" as const),
          }
        : { color: c.muted },
    axisLine: { lineStyle: { color: c.border } },
    axisTick: { show: false },
    inverse: isAcross,
  };
  const values = {
    type: "value" as const,
    minInterval: unit ? undefined : 1,
    splitNumber: isAcross ? 3 : undefined,
    max: unit === " %" ? 100 : undefined,
    axisLabel: { color: c.muted, hideOverlap: true, formatter: (v: number) => `${number(v)}${unit}` },
    splitLine: { lineStyle: { color: c.border } },
  };
  return isAcross ? { xAxis: values, yAxis: words } : { xAxis: words, yAxis: values };
}
export const legend = (c: Colours) => ({
  type: "scroll" as const,
  top: 0,
  left: 0,
  textStyle: { color: c.text },
  itemWidth: 16,
  itemHeight: 10,
  itemGap: 8,
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
  return (c: Colours): EChartsOption => {
    const shown = columns ?? table.columns.slice(1).map((_, n) => n + 1);
    return {
      ...axes(
        c,
        table.rows.map((r) => String(r.cells[0] ?? "")),
        isAcross,
        unit,
      ),
      grid: shown.length > 1 ? WITH_LEGEND : GRID,
      legend: shown.length > 1 ? legend(c) : undefined,
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

export function heat(table: Table, down: string[], across: string[], counts: [number, number, number][]) {
  const most = Math.max(1, ...counts.map((p) => p[2]));
  const isFew = across.length <= MOST_BROKEN;
  return (c: Colours): EChartsOption => ({
    grid: { ...GRID, bottom: 44 },
    xAxis: {
      type: "category",
      data: across,
      axisLabel: {
        color: c.muted,
        // a few all have room, in two lines
        ...(isFew ? { interval: 0, formatter: inTwo, fontSize: 9, lineHeight: 10 } : {}),
      },
      axisTick: { show: false },
    },
    yAxis: {
      type: "category",
      data: down,
      inverse: true,
      axisLabel: {
        color: c.muted,
        width: 92,
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
