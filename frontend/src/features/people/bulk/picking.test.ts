import { describe, expect, it } from "vitest";
import { MOST, shown, summaryOf, toggled } from "./picking";

describe("picking people", () => {
  it("picks one and lets them go", () => {
    expect([...toggled(new Set([1]), 2)]).toEqual([1, 2]);
    expect([...toggled(new Set([1, 2]), 1)]).toEqual([2]);
  });
  it("picks no more than can be changed at once", () => {
    const full = new Set(Array.from({ length: MOST }, (_, n) => n));
    expect(toggled(full, MOST).size).toBe(MOST);
    expect(toggled(full, 3).size).toBe(MOST - 1);
    expect(shown(full, [MOST + 1], true).has(MOST + 1)).toBe(false);
  });
  it("picks everybody shown, and keeps who is not shown", () => {
    expect([...shown(new Set([9]), [1, 2], true)]).toEqual([9, 1, 2]);
    expect([...shown(new Set([9, 1, 2]), [1, 2], false)]).toEqual([9]);
  });
});

describe("what a preview comes to", () => {
  const user = { id: 1, name: "Jane Doe", username: "jane" } as never;
  it("counts each outcome and names who cannot be changed", () => {
    const error = { code: "last_administrator", detail: "The last one." };
    const results = [
      { user, outcome: "DONE" as const, error: null },
      { user, outcome: "SAME" as const, error: null },
      { user, outcome: "WAITS" as const, error: null },
      { user, outcome: null, error },
    ];
    expect(summaryOf({ results })).toEqual({
      done: 1,
      same: 1,
      waits: 1,
      refused: [{ name: "Jane Doe", why: "The last one." }],
    });
  });
});
