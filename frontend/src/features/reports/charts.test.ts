import { describe, expect, it } from "vitest";
import type { DashboardRead } from "@/api/generated";
import { chartsOf } from "./charts";
import { OPEN } from "./model";

const none = { count: 0, average: null, p50: null, p90: null };
const level = { kept: 1, late: 1, share: 0.5 };
const board = {
  narrow: {},
  trend: [{ date: "2026-11-01", created: 4, completed: 1, smooth: null }],
  season: { weekdays: [], change: null },
  arrivals: [],
  tickets_by_status: { SUBMITTED: 1 },
  by_type: [],
  load: {
    by: "TEAM",
    more: 0,
    spans: [{ from: "2026-11-02", to: null }],
    rows: [
      { id: 3, name: "IT", counts: [2] },
      { id: null, name: null, counts: [1] },
    ],
  },
  backlog: [{ from: null, to: "2026-11-01", count: 3, by_priority: { CRITICAL: 2, HIGH: 1 } }],
  open_by_level: {},
  parts: [],
  first_response_level: level,
  service_level: level,
  first_response: none,
  first_response_working: none,
  resolution: none,
  resolution_working: none,
  approvers: [
    { approver: { id: 7, name: "Mike" }, stage: "Manager", decided: 4, average: 60, waiting: 2 },
    { approver: { id: 8, name: "Elena" }, stage: "Finance", decided: 1, average: 60, waiting: 0 },
  ],
  stages: [],
} as unknown as DashboardRead;
const words = { status: {}, priority: {}, types: {}, weekdays: [], shortDays: [] };
const charts = chartsOf(board, { ...words, t: (key) => key, day: (iso) => iso });
const rowsOf = (key: string) => charts.find((chart) => chart.key === key)?.table.rows ?? [];
const leaf = (field: string, op: string, value?: string | number | boolean) => ({ field, op, value });
const where = (...all: object[]) => JSON.stringify({ all });

describe("a number of a chart leads to its list", () => {
  it("what waits for an approver in a stage, and nothing where nothing does", () => {
    const [mike, elena] = rowsOf("approvers");
    const condition = where(leaf("waits_for_id", "eq", 7), leaf("waits_in_stage", "eq", "Manager"));
    expect(mike?.to?.query).toEqual({ condition });
    expect(mike?.links).toEqual([undefined, undefined, undefined, mike?.to]);
    expect(elena?.to).toBeUndefined();
  });
  it("whose work it is by age, also nobody's", () => {
    const [team, nobody] = rowsOf("load");
    const since = leaf("created_at", "gte", "2026-11-02T00:00:00Z");
    expect(team?.links?.[1]?.query).toEqual({ status: OPEN, team_id: ["3"], condition: where(since) });
    expect(nobody?.to?.query).toEqual({ status: OPEN, condition: where(leaf("team_id", "is_empty")) });
    expect(nobody?.links?.[1]?.query.condition).toBe(where(leaf("team_id", "is_empty"), since));
  });
  it("each priority of an age, each day's two numbers, and what was kept and what was late", () => {
    const [age] = rowsOf("backlog");
    const until = where(leaf("created_at", "lt", "2026-11-02T00:00:00Z"));
    expect(age?.links?.[1]?.query).toEqual({ status: OPEN, priority: ["CRITICAL"], condition: until });
    const [day] = rowsOf("trend");
    expect(day?.links?.map((link) => /\w+_at/.exec(String(link?.query.condition))?.[0])).toEqual([
      undefined,
      "created_at",
      "completed_at",
    ]);
    const [answers] = rowsOf("level");
    const measured = leaf("first_response_clock_at", "gte", "2026-11-01T00:00:00Z");
    expect(answers?.links?.[2]?.query.condition).toBe(
      where(measured, leaf("first_response_in_time", "eq", false)),
    );
  });
});
