import { describe, expect, it } from "vitest";
import type { AheadRead, StageRead, StepRead } from "@/api/generated";
import { afterwardsOf, clock, holders, shorten, waitingOf } from "./waiting";

const person = (id: number) => ({ id, username: `p${id}`, name: `P${id}` });
const step = (id: number, seat: number, status: string, at = "2026-11-26T10:00:00Z") =>
  ({ id, seat, status, approver: person(id), requested_at: at }) as StepRead;
const stage = (order: number, status: string, steps: StepRead[], needed = 1, mode = "PARALLEL") =>
  ({ order, status, steps, needed, mode, name: `S${order}` }) as StageRead;

describe("who holds it", () => {
  it("is nobody once it is over, or while no stage is open", () => {
    expect(waitingOf({ status: "APPROVED", stages: [stage(1, "OPEN", [])] })).toBeNull();
    expect(waitingOf({ status: "RUNNING", stages: [stage(1, "WAITING", [])] })).toBeNull();
  });
  it("are those who have not answered, each once, since the first of them was asked", () => {
    const open = stage(
      1,
      "OPEN",
      [
        step(1, 1, "APPROVED"),
        step(2, 2, "PENDING"),
        step(3, 2, "PENDING", "2026-11-26T09:00:00Z"),
        step(4, 3, "INFO_REQUESTED"),
      ],
      3,
    );
    const found = waitingOf({ status: "RUNNING", stages: [open] });
    expect(found).toMatchObject({ since: "2026-11-26T09:00:00Z", missing: 2, of: 2 });
    expect(holders(found!).map((p) => p.id)).toEqual([2, 3]);
    expect(found!.asking.map((s) => s.id)).toEqual([4]);
  });
  it("nobody who is gone", () => {
    expect(holders({ steps: [{ ...step(1, 1, "PENDING"), approver: null }] })).toEqual([]);
    expect(waitingOf({ status: "RUNNING", stages: [stage(1, "OPEN", [])] })?.since).toBeNull();
  });
});

describe("what a yes leads to", () => {
  const open = stage(1, "OPEN", [step(1, 1, "PENDING"), step(2, 2, "WAITING")], 2, "SEQUENTIAL");
  const waiting = (s: StageRead) => waitingOf({ status: "RUNNING", stages: [s] })!;
  it("the next in the same stage, one by one", () => {
    expect(afterwardsOf({ stages: [open] }, waiting(open))).toEqual({ kind: "person", person: person(2) });
  });
  it("the next stage that applies", () => {
    const first = stage(1, "OPEN", [step(1, 1, "PENDING")]);
    const stages = [first, stage(2, "SKIPPED", []), stage(3, "WAITING", [])];
    expect(afterwardsOf({ stages }, waiting(first))).toMatchObject({ kind: "stage", stage: { order: 3 } });
  });
  it("approval, when nothing else is left", () => {
    const only = stage(1, "OPEN", [step(1, 1, "PENDING")]);
    expect(afterwardsOf({ stages: [only] }, waiting(only))).toEqual({ kind: "approved" });
  });
});

it("of a long ladder the middle is folded away, never the next thing nor the end", () => {
  const ahead = [1, 2, 3, 4, 5, 6].map((n) => ({ at: String(n) }) as AheadRead);
  expect(shorten(ahead.slice(0, 5))).toEqual({ first: ahead.slice(0, 5), between: [], last: null });
  expect(shorten(ahead)).toEqual({ first: ahead.slice(0, 3), between: ahead.slice(3, 5), last: ahead[5] });
});

it.each([
  [899_001, "15:00"],
  [61_000, "1:01"],
  [3_723_000, "1:02:03"],
  [-5, "0:00"],
])("%d ms read %s", (ms, words) => expect(clock(ms)).toBe(words));
