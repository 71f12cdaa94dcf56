import { describe, expect, it } from "vitest";
import type { StageRead, StepRead } from "@/api/generated";
import {
  answeredFor,
  confirmedHow,
  isOpen,
  placesOf,
  reasonsOf,
  saidIn,
  seatsOf,
  sharedWhy,
  whyOf,
  yesOf,
} from "./flow";

const step = (id: number, seat: number, status = "PENDING", more: Partial<StepRead> = {}) =>
  ({
    id,
    seat,
    status,
    reason: "",
    approver: { id, username: "x", name: `P${id}` },
    decided_by: null,
    comments: "",
    questions: [],
    ...more,
  }) as StepRead;
const stage = (order: number, name: string, status: string, steps: StepRead[] = []) =>
  ({ order, name, status, steps, reason: "" }) as unknown as StageRead;

describe("places", () => {
  it("stand in their order, as they count now, with what an edit put aside", () => {
    const first = stage(1, "Manager", "SUPERSEDED");
    const second = stage(1, "Manager", "SUPERSEDED");
    const now = stage(1, "Manager", "OPEN");
    const other = stage(2, "Finance", "WAITING");
    expect(placesOf([other, first, second, now])).toEqual([
      { stage: now, before: [second, first] },
      { stage: other, before: [] },
    ]);
  });
  it("of a workflow that ended with nothing else, the last one stands", () => {
    const put = stage(1, "Manager", "SUPERSEDED");
    expect(placesOf([put])).toEqual([{ stage: put, before: [] }]);
  });
});

describe("seats", () => {
  it("hold everybody who was asked for one answer", () => {
    const steps = [step(1, 1), step(2, 2), step(3, 1)];
    expect(seatsOf({ steps }).map((s) => s.steps.map((t) => t.id))).toEqual([[1, 3], [2]]);
  });
  it("count once, however many were asked", () => {
    expect(yesOf({ steps: [step(1, 1, "NOT_NEEDED"), step(2, 1, "APPROVED"), step(3, 2, "REJECTED")] })).toBe(
      1,
    );
  });
});

it.each([
  ["", "", ""],
  ["amount is above 5,000", "amount is above 5,000", ""],
  ["asked again, because title changed", "", "title changed"],
  [
    "amount is above 5; not asked any more, because amount changed from 6 to 4",
    "amount is above 5",
    "",
    "amount changed from 6 to 4",
  ],
  [
    "amount is above 5; asked again, because amount changed from 6 to 7",
    "amount is above 5",
    "amount changed from 6 to 7",
  ],
])("%s", (reason, why, again, noMore = "") => expect(reasonsOf(reason)).toEqual({ why, again, noMore }));

it("why a person was asked does not repeat why the stage applies", () => {
  const asked = { reason: "member of Finance, because amount is above 5" };
  expect(whyOf(asked, { reason: "amount is above 5" })).toBe("member of Finance");
  expect(whyOf(asked, { reason: "amount is above 5; asked again, because x" })).toBe("member of Finance");
  expect(whyOf(asked, { reason: "" })).toBe(asked.reason);
});

it("what all were asked for is said once", () => {
  const asked = (...reasons: string[]) => reasons.map((reason, n) => step(n, n, "PENDING", { reason }));
  const reason = "amount is above 5";
  const tail = `, because ${reason}`;
  expect(sharedWhy({ reason, steps: asked(`member of Finance${tail}`, `member of Finance${tail}`) })).toBe(
    "member of Finance",
  );
  expect(sharedWhy({ reason: "", steps: asked("a", "b") })).toBe("");
  expect(sharedWhy({ reason: "", steps: asked("a") })).toBe("");
  const added = [...asked("a", "a"), step(7, 1, "PENDING", { reason: "added" })];
  expect(sharedWhy({ reason: "", steps: added })).toBe("a");
});

it("of what was asked again, only what was said is told", () => {
  const said = step(1, 1, "APPROVED");
  const asked = step(2, 2, "CANCELLED", { questions: [{ question: "?" }] as StepRead["questions"] });
  expect(saidIn({ steps: [said, step(3, 3, "CANCELLED"), asked] })).toEqual([said, asked]);
});

it("who answers for another is named", () => {
  const by = { id: 9, username: "c", name: "Carlos" };
  expect(answeredFor(step(1, 1, "APPROVED", { decided_by: by }))).toBe("Carlos");
  expect(answeredFor(step(9, 1, "APPROVED", { decided_by: by }))).toBeNull();
  expect(answeredFor(step(1, 1, "DELEGATED", { decided_by: by }))).toBeNull();
  expect(answeredFor(step(1, 1, "APPROVED"))).toBeNull();
  expect([isOpen({ status: "INFO_REQUESTED" }), isOpen({ status: "WAITING" })]).toEqual([true, false]);
});

it("says with what it was confirmed", () => {
  const found = [null, "password", "password+totp", "totp", "oidc", "password+passkey"].map(confirmedHow);
  expect(found).toEqual([null, "byPassword", "byCode", "byCode", "bySignIn", null]);
});
