import { describe, expect, it } from "vitest";
import type { DelegationRead } from "@/api/generated";
import { windowOf } from "@/features/directory";
import { draftOf, empty, scopeOf, termsOf, untilOf } from "./model";

const iso = (text: string) => new Date(text).toISOString();
const say = {
  day: (at: Date) => `${at.getMonth() + 1}/${at.getDate()}`,
  time: (at: Date) => `${at.getHours()}h`,
};
const row = (more: Partial<DelegationRead>): DelegationRead => ({
  id: 1,
  delegator: { id: 1, username: "one", name: "One" },
  delegate: { id: 2, username: "two", name: "Two" },
  starts_at: iso("2030-05-06T00:00:00"),
  ends_at: iso("2030-05-11T00:00:00"),
  ended_at: null,
  status: "PLANNED",
  reason: "Holiday",
  condition: null,
  condition_text: null,
  amount_up_to: null,
  include_waiting: true,
  is_with_absence: false,
  made_by: null,
  version: 3,
  allowed_actions: ["edit"],
  ...more,
});

describe("a delegation in the form", () => {
  it("has whole days, the last one included", () => {
    const draft = draftOf(row({}));
    expect([draft.from, draft.to, draft.fromTime, draft.toTime]).toEqual([
      "2030-05-06",
      "2030-05-10",
      "",
      "",
    ]);
    expect(draft.isLimited).toBe(false);
  });

  it("keeps its times", () => {
    const draft = draftOf(
      row({ starts_at: iso("2030-05-06T09:30:00"), ends_at: iso("2030-05-10T17:00:00") }),
    );
    expect([draft.from, draft.fromTime, draft.to, draft.toTime]).toEqual([
      "2030-05-06",
      "09:30",
      "2030-05-10",
      "17:00",
    ]);
  });

  it("is sent as it was read", () => {
    for (const one of [
      row({}),
      row({ ends_at: iso("2030-05-10T17:00:00"), reason: null, amount_up_to: "5.00" }),
    ]) {
      const draft = draftOf(one);
      const terms = termsOf(draft, one.condition as null, windowOf(draft)!);
      expect(new Date(terms.starts_at)).toEqual(new Date(one.starts_at));
      expect(new Date(terms.ends_at)).toEqual(new Date(one.ends_at));
      expect([terms.delegate_id, terms.amount_up_to, terms.reason]).toEqual([
        2,
        one.amount_up_to,
        one.reason ?? "",
      ]);
    }
  });

  it("does not move its beginning once it has begun", () => {
    const begun = "2030-05-06T07:31:12.123456Z";
    const draft = draftOf(row({ starts_at: begun, status: "OPEN" }));
    expect(termsOf(draft, null, windowOf(draft)!, begun).starts_at).toBe(begun);
  });

  it("covers everything until it is limited", () => {
    const draft = { ...empty(), amount: " 12.50 " };
    const condition = { all: [] };
    expect(scopeOf(draft, condition)).toEqual({ condition: null, amount_up_to: null });
    expect(scopeOf({ ...draft, isLimited: true }, condition)).toEqual({ condition, amount_up_to: "12.50" });
    expect(scopeOf({ ...draft, isLimited: true, amount: " " }, null).amount_up_to).toBeNull();
  });
});

describe("until when", () => {
  it("names the last day", () => {
    expect(untilOf(iso("2030-05-11T00:00:00"), say)).toBe("5/10");
    expect(untilOf(iso("2030-05-11T17:00:00"), say)).toBe("5/11, 17h");
  });
});
