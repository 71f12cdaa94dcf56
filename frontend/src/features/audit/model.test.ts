import { describe, expect, it } from "vitest";
import { askedOf, filtersOf, inWords, linesOf, placeOf } from "./model";

describe("the trail", () => {
  it("takes from the address what is a filter, and nothing else", () => {
    expect(filtersOf({ family: "auth", actor_id: "7", since: "2026-11-01", until: "nonsense" })).toEqual({
      family: "auth",
      actor_id: 7,
      since: "2026-11-01",
    });
    expect(filtersOf({ family: "x'; drop", object_id: "-1", channel: ["a"] })).toEqual({});
    expect(filtersOf({ object_id: "99999999999999999999" })).toEqual({});
  });

  it("asks for whole days", () => {
    const asked = askedOf({ family: "auth", since: "2026-11-01", until: "2026-11-01" });
    expect(asked.family).toBe("auth");
    expect(Date.parse(asked.to!) - Date.parse(asked.from!)).toBe(24 * 3600 * 1000 - 1);
    expect(askedOf({})).toEqual({ from: undefined, to: undefined });
  });

  it("says what changed with before and after, in whatever way an event tells it", () => {
    expect(linesOf({ before: { email: "a@x" }, after: { email: "b@x", name: null } })).toEqual([
      { name: "Email", before: "a@x", after: "b@x" },
      { name: "Name", before: "–", after: "–" },
    ]);
    expect(linesOf({ changes: { priority: ["LOW", "HIGH"], tags: ["a"] } })).toEqual([
      { name: "Priority", before: "LOW", after: "HIGH" },
      { name: "Tags", after: '["a"]' },
    ]);
    expect(linesOf({ old_status: "DRAFT", new_status: "SUBMITTED", comment: "" })).toEqual([
      { name: "Status", before: "DRAFT", after: "SUBMITTED" },
      { name: "Comment", after: "–" },
    ]);
    expect(linesOf({ before: "x", changes: 3, new_only: 1 })).toEqual([
      { name: "New only", after: "1" },
      { name: "Before", after: "x" },
      { name: "Changes", after: "3" },
    ]);
    expect(linesOf({ after: 1 })).toEqual([{ name: "After", after: "1" }]);
  });

  it("has words for actions, and places for what has a page", () => {
    expect(inWords("ticket.review_started")).toBe("Ticket review started");
    expect(inWords("auth.new_device")).toBe("Sign-in new device");
    expect(inWords("sla_policy.published")).toBe("SLA policy published");
    expect(placeOf("ticket", 5)).toBe("/tickets/5");
    expect(placeOf("user", 5)).toBe("/settings/people/5");
    expect(placeOf("user", 0)).toBeUndefined();
    expect(placeOf("system", 0)).toBeUndefined();
  });
});

describe("words in the address", () => {
  it("are taken when the server would take them", () => {
    expect(filtersOf({ q: "  laptop ", ticket: "ITH-1", address: "10.0." })).toEqual({
      q: "laptop",
      ticket: "ITH-1",
      address: "10.0.",
    });
    expect(filtersOf({ q: "ab", ticket: " ", address: "x; y" })).toEqual({});
    expect(filtersOf({ q: "a\u0007bc" })).toEqual({});
  });
});
