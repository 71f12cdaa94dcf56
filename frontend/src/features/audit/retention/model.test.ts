import { describe, expect, it } from "vitest";
import { bodyOf, shortens, yearsOf } from "./model";

const FOR_EVER = { sign_ins: 0, readings: 0, messages: 0, system: 0 };

describe("for how long entries are kept", () => {
  it("is for ever unless a number is chosen", () => {
    expect(yearsOf(null)).toEqual(FOR_EVER);
    const policy = {
      groups: [{ key: "system", kinds: [], years: 3 }],
      version: 2,
      removals: 0,
      last_removal_at: null,
    };
    expect(yearsOf(policy)).toEqual({ ...FOR_EVER, system: 3 });
    expect(bodyOf({ ...FOR_EVER, system: 3 }, 2)).toEqual({
      sign_ins: null,
      readings: null,
      messages: null,
      system: 3,
      version: 2,
    });
  });
  it("is shorter when something goes sooner", () => {
    expect(shortens(FOR_EVER, { ...FOR_EVER, system: 30 })).toBe(true);
    expect(shortens({ ...FOR_EVER, system: 5 }, { ...FOR_EVER, system: 4 })).toBe(true);
    expect(shortens({ ...FOR_EVER, system: 5 }, FOR_EVER)).toBe(false);
    expect(shortens({ ...FOR_EVER, system: 5 }, { ...FOR_EVER, system: 5 })).toBe(false);
  });
});
