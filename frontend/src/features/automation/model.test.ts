import { describe, expect, it } from "vitest";
import {
  actionOf,
  bodyOf,
  DOES,
  draftOf,
  emptyDraft,
  EVENTS,
  isSame,
  moved,
  ofAction,
  TIMES,
  TOLD,
  toldOf,
  triggerOf,
} from "./model";

describe("automation rules", () => {
  it("begins a trigger with what its kind asks for and nothing else", () => {
    for (const on of EVENTS)
      expect(triggerOf(on)).toMatchObject({ on, amount: 0, date_field: null, statuses: [] });
    for (const on of TIMES) expect(triggerOf(on).amount).toBe(1);
    expect(triggerOf("BEFORE_DATE")).toMatchObject({ date_field: "due_date", unit: "DAYS" });
    expect(triggerOf("IN_STATUS").statuses).toEqual(["IN_PROGRESS"]);
  });

  it("begins whoever is to be told with nobody chosen", () => {
    expect(TOLD.map(toldOf)).toEqual(TOLD.map((kind) => ({ kind, id: null })));
  });

  it("begins every kind of action", () => {
    expect(DOES.map((kind) => actionOf(kind).do)).toEqual(DOES);
  });

  it("sends what it was given, and knows whether something was changed", () => {
    const draft = { ...emptyDraft(), name: " Urgent " };
    const body = bodyOf(draft);
    expect(body.name).toBe("Urgent");
    const read = { ...body, id: 1 } as never;
    expect(isSame(draftOf(read), draft)).toBe(true);
    expect(isSame(draftOf(read), { ...draft, stops: true })).toBe(false);
  });

  it("moves within the list only", () => {
    expect(moved([1, 2, 3], 0, 2)).toEqual([2, 3, 1]);
    expect(moved([1, 2, 3], 2, 0)).toEqual([3, 1, 2]);
    const list = [1, 2];
    expect(moved(list, 0, -1)).toBe(list);
    expect(moved(list, 1, 2)).toBe(list);
  });

  it("gives each action its own mistakes", () => {
    const wrong = [
      { pointer: "/actions/1", message: "a" },
      { pointer: "/actions/1/url", message: "b" },
      { pointer: "/actions/11", message: "c" },
    ];
    expect(ofAction(wrong, 1)).toEqual(["a", "b"]);
  });
});
