import { describe, expect, it } from "vitest";
import { calendarsOf, parts, percentOf, reasonOf, wordOf } from "./model";

describe("a target in words", () => {
  it("tells time in hours and minutes", () => {
    expect(parts(4800)).toEqual({ hours: 1, minutes: 20 });
    expect(parts(-59)).toEqual({ hours: 0, minutes: 0 });
    expect(parts(200 * 3600)).toEqual({ hours: 200, minutes: 0 });
  });
  it("says late while it runs, and missed once it is over", () => {
    expect(wordOf({ state: "BREACHED", run: "RUNNING" })).toBe("late");
    expect(wordOf({ state: "BREACHED", run: "PAUSED" })).toBe("late");
    expect(wordOf({ state: "BREACHED", run: "STOPPED" })).toBe("missed");
    expect(wordOf({ state: "MET", run: "STOPPED" })).toBe("met");
    expect(wordOf({ state: "PAUSED", run: "PAUSED" })).toBe("paused");
    expect(wordOf({ state: "RUNNING", run: "RUNNING" })).toBe("due");
  });
  it("says why it stands still", () => {
    expect(reasonOf({ metric: "RESOLUTION", why: "PENDING_INFO" })).toBe("asked");
    expect(reasonOf({ metric: "OWN_TIME", why: "IN_REVIEW" })).toBe("approval");
    expect(reasonOf({ metric: "OWN_TIME", why: "IN_PROGRESS" })).toBe("elsewhere");
    expect(reasonOf({ metric: "RESOLUTION", why: "IN_PROGRESS" })).toBe("status");
    expect(reasonOf({ metric: "RESOLUTION", why: "DRAFT" })).toBe("draft");
  });
  it("never rounds up to a breach", () => {
    expect(percentOf({ used_seconds: 99.951, target_seconds: 100, state: "RUNNING" })).toBe(99);
    expect(percentOf({ used_seconds: 150, target_seconds: 100, state: "BREACHED" })).toBe(100);
    expect(percentOf({ used_seconds: 0, target_seconds: 0, state: "MET" })).toBe(99);
  });
  it("names each calendar once", () => {
    const calendar = { name: "Office", zone: "UTC" };
    const sla = { targets: [{ calendar }, { calendar: { ...calendar } }] };
    expect(calendarsOf(sla as never)).toEqual([calendar]);
  });
});
