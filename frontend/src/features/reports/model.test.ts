import { describe, expect, it } from "vitest";
import { csv, extremes, linkTo, nextDay, shares } from "./model";

describe("links", () => {
  it("narrow the list to what a number counts", () => {
    const link = linkTo({ team_id: [3, 4] }, { status: ["APPROVED"] }, [
      { field: "created_at", from: "2026-02-27", to: "2026-02-28" },
    ]);
    expect(link.query).toEqual({
      team_id: ["3", "4"],
      status: ["APPROVED"],
      condition: JSON.stringify({
        all: [
          { field: "created_at", op: "gte", value: "2026-02-27T00:00:00Z" },
          { field: "created_at", op: "lt", value: "2026-03-01T00:00:00Z" },
        ],
      }),
    });
    expect(linkTo({}).query).toEqual({});
    expect(linkTo({}, {}, [{ field: "created_at", from: null, to: null }]).query).toEqual({});
  });
  it("know the next day", () => expect(nextDay("2028-02-28")).toBe("2028-02-29"));
});

it("a table goes into a file whose cells nothing executes", () => {
  const table = { columns: ["Who", "n"], rows: [{ cells: ['=1+1 "x", y', 3] }, { cells: [null, -2] }] };
  expect(csv(table)).toBe('Who,n\r\n"\'=1+1 ""x"", y",3\r\n,-2\r\n');
});

it("weekdays stand out when they do", () => {
  expect(extremes([5, 4, 4, 4, 3, 0, 1])).toEqual({ most: 0, least: 5 });
  expect(extremes([3, 3, 3, 3, 3, 3, 3])).toBeNull();
  expect(extremes([0, 0, 0, 0, 0, 0, 0])).toBeNull();
});

it("shares add up", () => {
  expect(shares([1, 1, 1])).toEqual([34, 33, 33]);
  expect(shares([0, 0])).toEqual([0, 0]);
});
