import { describe, expect, it } from "vitest";
import { changesAny, isCurrent, isGoing, linesOf } from "./runs";
import type { LevelCounts, LevelRunInShort } from "@/api/generated";

const NONE: LevelCounts = {
  requests: 0,
  moved: 0,
  clocks: 0,
  late: 0,
  eased: 0,
  later: 0,
  earlier: 0,
  begun: 0,
  ended: 0,
  failed: 0,
};

describe("what a run comes to", () => {
  it("names only what there is, what is late first", () => {
    expect(linesOf({ ...NONE, requests: 9, clocks: 9, later: 4, late: 2, earlier: 5 })).toEqual([
      { what: "late", count: 2, isGrave: true },
      { what: "earlier", count: 5, isGrave: false },
      { what: "later", count: 4, isGrave: false },
    ]);
    expect(linesOf(NONE)).toEqual([]);
  });
  it("knows whether anything would change", () => {
    expect(changesAny(NONE)).toBe(false);
    expect(changesAny({ ...NONE, requests: 1 })).toBe(true);
    expect(changesAny({ ...NONE, moved: 1 })).toBe(true);
  });
});

describe("what was looked at", () => {
  const trial = { status: "FINISHED", policy_version: 3 } as LevelRunInShort;
  it("counts for the version it was of, once it is finished", () => {
    expect(isCurrent(trial, 3)).toBe(true);
    expect(isCurrent(trial, 4)).toBe(false);
    expect(isCurrent({ ...trial, status: "STOPPED" }, 3)).toBe(false);
    expect(isCurrent(undefined, 3)).toBe(false);
  });
  it("goes on only while it runs", () => {
    expect(isGoing({ status: "RUNNING" })).toBe(true);
    expect(isGoing(trial)).toBe(false);
    expect(isGoing(undefined)).toBe(false);
  });
});
