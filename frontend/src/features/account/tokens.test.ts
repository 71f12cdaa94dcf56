import { describe, expect, it } from "vitest";
import { chosenOf, endOf, within } from "./tokens";

describe("what a token is made for", () => {
  const groups = [
    { key: "read", permissions: ["tickets:read", "catalog:read"] },
    { key: "ask", permissions: ["tickets:create", "tickets:read"] },
  ];
  it("is each permission of what was picked, once", () => {
    expect(chosenOf(groups, ["ask", "read", "gone"])).toEqual([
      "catalog:read",
      "tickets:create",
      "tickets:read",
    ]);
    expect(chosenOf(groups, [])).toEqual([]);
  });
  it("is no more than its account may", () => {
    expect(within(groups, ["tickets:create"])).toEqual([{ key: "ask", permissions: ["tickets:create"] }]);
    expect(within(groups, [])).toEqual([]);
  });
  it("ends so many days from now", () => {
    expect(endOf(30, Date.UTC(2026, 0, 1))).toBe("2026-01-31T00:00:00.000Z");
  });
});
