import { expect, it } from "vitest";
import type { ReportResult } from "@/api/generated";
import { definitionOf, drawn, drill, emptyDraft, NONE, said, tableOf, worded } from "./model";

it("what does not fit together is not sent", () => {
  const draft = { ...emptyDraft(), measures: ["count", "open"], rows: "team", columns: "priority" };
  expect(definitionOf(draft)).toMatchObject({ measures: ["count"], rows: "team", columns: "priority" });
  expect(definitionOf({ ...draft, columns: "team" })).toMatchObject({
    measures: ["count", "open"],
    columns: null,
  });
  expect(definitionOf({ ...draft, rows: NONE })).toMatchObject({ rows: null, columns: null });
});

it("a cell leads to the tickets it counts", () => {
  const leaf = { field: "team_id", op: "eq", value: 3 };
  expect(drill(null, [leaf], [])?.query).toEqual({ condition: JSON.stringify({ all: [leaf] }) });
  expect(drill({ all: [] }, [leaf])?.query.condition).toBe(JSON.stringify({ all: [{ all: [] }, leaf] }));
  expect(drill(null, [])?.query).toEqual({});
  expect(drill(null, null)).toBeUndefined();
});

it("numbers are drawn in the unit people think in", () => {
  expect(drawn(5400, "SECONDS")).toBe(1.5);
  expect(drawn(5400, "WORKED_SECONDS")).toBe(1.5);
  expect(said(270_000, "SECONDS")).toBe("3.1 days");
  expect(said(270_000, "WORKED_SECONDS")).toBe("75 hr");
  expect(drawn(0.945, "SHARE")).toBe(94.5);
  expect(drawn("1200.50", "MONEY")).toBe(1200.5);
  expect(drawn(null, "COUNT")).toBeNull();
});

it("a result is a table", () => {
  const result: ReportResult = {
    rows: { key: "team", label: "Team" },
    by: null,
    columns: [{ key: "count", label: "Requests", drill: [], unit: "COUNT" }],
    measures: [{ key: "count", label: "Requests", unit: "COUNT" }],
    lines: [{ key: null, label: "", values: [3], drill: [] }],
    as_of: "2026-11-23T09:00:00Z",
  };
  expect(tableOf(result, { empty: "None", all: "All" })).toEqual({
    columns: ["Team", "Requests"],
    rows: [{ cells: ["None", 3] }],
  });
  expect(tableOf({ ...result, rows: null }, { empty: "None", all: "All" }).rows[0]?.cells[0]).toBe("All");
});

it("codes are told in words, in rows and in columns; what is none stays", () => {
  const result = {
    rows: { key: "status", label: "Status" },
    by: { key: "priority", label: "Priority" },
    columns: [{ key: "HIGH", label: "HIGH" }],
    lines: [{ label: "IN_REVIEW" }, { label: "" }],
  } as unknown as Parameters<typeof worded>[0];
  const told = worded(result, (key, code) => `${key} ${code.toLowerCase()}`);
  expect(told.lines.map((line) => line.label)).toEqual(["status in_review", ""]);
  expect(told.columns.map((column) => column.label)).toEqual(["priority high"]);
  expect(worded({ ...result, by: null }, () => "").columns[0]?.label).toBe("HIGH");
});
