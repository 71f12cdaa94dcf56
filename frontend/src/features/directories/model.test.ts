import { describe, expect, it } from "vitest";
import type { RunPersonRead, RunRead } from "@/api/generated";
import { countsOf, filtersOf, hasPeople, isOpen, lookOf, outcomeOf } from "./model";

const run = (state: RunRead["state"], counts: Record<string, number> = {}): RunRead => ({
  id: 1,
  provider_id: 1,
  state,
  is_dry: false,
  is_whole: true,
  asked_by: null,
  plan_of_id: null,
  asked_at: "2026-11-26T12:00:00Z",
  started_at: null,
  ended_at: null,
  counts,
  stop: null,
  error: null,
  settled_by: null,
  settled_at: null,
  allowed_actions: [],
});
const person = (error: string | null): RunPersonRead => ({
  position: 1,
  action: "CREATE",
  reason: "NEW",
  name: "Jane",
  user_id: null,
  changes: [],
  note: "",
  error,
});

describe("a look at a directory", () => {
  it("is open until a worker is done with it", () => {
    expect(isOpen(run("WAITING"))).toBe(true);
    expect(isOpen(run("RUNNING"))).toBe(true);
    expect(isOpen(run("DONE"))).toBe(false);
  });

  it("counts what became of somebody, failures first", () => {
    const counted = run("DONE", { SAME: 4, CREATE: 2, DEACTIVATE: 1, UPDATE: 0, FAILED: 1 });
    expect(countsOf(counted).map((c) => c.key)).toEqual(["FAILED", "DEACTIVATE", "CREATE", "SAME"]);
    expect(filtersOf(counted).map((c) => c.key)).toEqual(["DEACTIVATE", "CREATE"]);
    expect(hasPeople(counted)).toBe(true);
    expect(hasPeople(run("DONE", { SAME: 4 }))).toBe(false);
  });

  it("is no success when somebody could not be done", () => {
    expect(lookOf(run("DONE"))).toBe("good");
    expect(lookOf(run("DONE", { FAILED: 1 }))).toBe("waits");
    expect(lookOf(run("STOPPED"))).toBe("waits");
    expect(lookOf(run("FAILED"))).toBe("bad");
  });

  it("says whether something would be, was, or was not", () => {
    expect(outcomeOf(run("STOPPED"), person(null))).toBe("would");
    expect(outcomeOf(run("DONE"), person(null))).toBe("did");
    expect(outcomeOf(run("DONE"), person("no"))).toBe("failed");
  });
});
