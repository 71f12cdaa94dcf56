import { describe, expect, it } from "vitest";
import type { DashboardRead } from "@/api/generated";
import { leadsTo } from "./model";
import { spread, tilesOf } from "./tiles";

const none = { count: 0, average: null, p50: null, p90: null };
const board = {
  narrow: { team_id: [3] },
  trend: [
    { date: "2026-11-01", created: 4, completed: 1, smooth: null },
    { date: "2026-11-02", created: 2, completed: 5, smooth: null },
  ],
  tickets_by_status: { DRAFT: 9, SUBMITTED: 1, IN_PROGRESS: 2, CLOSED: 7 },
  load: { by: "ASSIGNEE", spans: [], more: 0, rows: [{ id: null, name: null, counts: [1, 0, 1] }] },
  backlog: [{ from: null, to: null, count: 3, by_priority: { CRITICAL: 2 } }],
  open_by_level: { RUNNING: 2, PAUSED: 0, BREACHED: 1, MET: 0 },
  pending_approvals: 4,
  parts: [{ part: "APPROVAL", seconds: 1200 }],
  first_response_level: { kept: 1, late: 1, share: 0.5 },
  service_level: { kept: 3, late: 1, share: 0.75 },
  first_response: { count: 3, average: 9000, p50: 7200, p90: 10800 },
  first_response_working: { count: 2, average: 1800, p50: 1800, p90: 2400 },
  resolution: { count: 2, average: 3600, p50: 3600, p90: 7200 },
  resolution_working: none,
} as unknown as DashboardRead;
const says = {
  number: String,
  share: (n: number) => `${n * 100} %`,
  took: (s: number | null) => (s === null ? "–" : `${s} s`),
};
const tiles = Object.fromEntries(tilesOf(board, says, true).map((tile) => [tile.key, tile]));

describe("tiles", () => {
  it("count what their list shows", () => {
    const shown = (key: string) => [tiles[key]?.value, tiles[key]?.to];
    const open = ["SUBMITTED", "IN_REVIEW", "PENDING_INFO", "APPROVED", "IN_PROGRESS"];
    const list = (query: object) => ({ path: "/tickets", query: { team_id: ["3"], ...query } });
    const where = (field: string, op: string, value: string) =>
      JSON.stringify({ all: [{ field, op, value }] });
    expect(shown("pending")).toEqual(["4", "/approvals"]);
    expect(shown("open")).toEqual(["3", list({ status: open })]);
    expect(shown("free")).toEqual(["2", list({ status: open, assignee_id: ["none"] })]);
    expect(shown("urgent")).toEqual(["2", list({ status: open, priority: ["CRITICAL"] })]);
    const late = where("sla_state", "eq", "BREACHED");
    expect(shown("late")).toEqual(["1", list({ status: open, condition: late })]);
    const since = (field: string) => list({ condition: where(field, "gte", "2026-11-01T00:00:00Z") });
    expect(shown("created")).toEqual(["6", since("created_at")]);
    expect(shown("completed")).toEqual(["6", since("completed_at")]);
  });
  it("of a share or a time lead to what it is of", () => {
    const at = (field: string) => ({ field, op: "gte", value: "2026-11-01T00:00:00Z" });
    const list = (...all: object[]) => ({
      path: "/tickets",
      query: { team_id: ["3"], condition: JSON.stringify({ all }) },
    });
    const is = (field: string, value: boolean) => ({ field, op: "eq", value });
    const completed = at("completed_at");
    const measured = at("first_response_clock_at");
    expect(tiles.level).toMatchObject({
      value: "75 %",
      hint: { key: "of", values: { n: "3", of: "4" } },
      to: list(completed, is("completed_in_time", true)),
    });
    expect(tiles.breached).toMatchObject({ value: "1", to: list(completed, is("completed_in_time", false)) });
    expect(tiles.response?.to).toEqual(list(measured));
    expect(tiles.responseLate).toMatchObject({
      value: "1",
      to: list(measured, is("first_response_in_time", false)),
    });
    expect(tiles.resolution?.to).toEqual(list(completed, { field: "submitted_at", op: "is_not_empty" }));
    expect(tiles.approval).toMatchObject({
      value: "1",
      hint: { key: "approval", values: { time: "600 s" } },
      to: { query: { status: ["SUBMITTED", "IN_REVIEW"] } },
    });
  });
  it("say working time, with the time by the clock beside it", () => {
    expect(tiles.response).toMatchObject({
      value: "1800 s",
      hint: { key: "wall", values: { n: "2", time: "7200 s" } },
    });
    expect(tiles.resolution).toMatchObject({
      value: "3600 s",
      hint: { key: "onlyWall", values: { n: "2" } },
    });
  });
  it("are fewer for who decides nothing", () => {
    expect(tilesOf(board, says, false).map((tile) => tile.key)).not.toContain("pending");
  });
});

it("rows are as even as can be", () => {
  expect(spread(13, 3)).toEqual([5, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4]);
  expect(spread(12, 2)).toEqual(Array(12).fill(6));
  expect(spread(3, 1)).toEqual([3, 3, 3]);
  expect(spread(1, 1)).toEqual([1]);
});

it("a cell leads to its own list, and to its row's where it has none; nothing has no list", () => {
  const [whole, own] = ["/whole", "/own"].map((path) => ({ path, query: {} }));
  const row = { cells: ["x", 3, 0, 5], to: whole, links: [undefined, own, own] };
  expect([0, 1, 2, 3].map((n) => leadsTo(row, n)?.path)).toEqual(["/whole", "/own", undefined, "/whole"]);
  expect(leadsTo(undefined, 1)).toBeUndefined();
});
