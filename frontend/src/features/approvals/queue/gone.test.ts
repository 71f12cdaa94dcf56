import { expect, it } from "vitest";
import type { StepRead, WorkflowRead } from "@/api/generated";
import { whatBecame } from "./gone";

const ME = 7;
const person = (id: number) => ({ id, username: `p${id}`, name: `P${id}` });
let count = 0;
const step = (approver: number, status: string, more: Partial<StepRead> = {}): StepRead =>
  ({ id: (count += 1), seat: count, approver: person(approver), status, ...more }) as StepRead;
const said = (approver: number, status: string, by = approver, at = "2026-03-01T10:00:00Z") =>
  step(approver, status, { decided_by: person(by), decided_at: at });
const round = (status: string, steps: StepRead[], more: Partial<WorkflowRead> = {}): WorkflowRead =>
  ({ status, override: null, stages: [{ status: "OPEN", steps }], ...more }) as WorkflowRead;
const became = (...rounds: WorkflowRead[]) => whatBecame(rounds, ME);

it("was never asked, was withdrawn, was decided over everybody's head", () => {
  expect(became()).toEqual({ how: "nobody" });
  expect(became(round("CANCELLED", [step(ME, "CANCELLED")]))).toEqual({ how: "withdrawn" });
  const override = { by: person(9), reason: "x" } as WorkflowRead["override"];
  expect(became(round("REJECTED", [step(ME, "NOT_NEEDED")], { override }))).toEqual({
    how: "overridden",
    answer: "REJECTED",
    who: "P9",
  });
  const glass = { by: person(9), reason: "x", review: { id: 1 } } as WorkflowRead["override"];
  expect(became(round("APPROVED", [step(ME, "NOT_NEEDED")], { override: glass }))).toEqual({
    how: "glass",
    who: "P9",
  });
});

it("was answered by oneself, in one's place, or by another", () => {
  const at = "2026-03-01T10:00:00Z";
  expect(became(round("RUNNING", [said(ME, "APPROVED"), step(8, "PENDING")]))).toEqual({
    how: "mine",
    answer: "APPROVED",
    at,
  });
  expect(became(round("RUNNING", [said(4, "APPROVED", ME)]))).toMatchObject({ how: "mine" });
  expect(became(round("APPROVED", [said(ME, "APPROVED", 8)]))).toEqual({
    how: "forMe",
    answer: "APPROVED",
    who: "P8",
    at,
  });
  const later = "2026-03-01T11:00:00Z";
  const steps = [said(4, "APPROVED"), said(5, "REJECTED", 5, later), step(ME, "NOT_NEEDED")];
  expect(became(round("REJECTED", steps))).toEqual({
    how: "decided",
    answer: "REJECTED",
    who: "P5",
    at: later,
  });
});

it("was handed on, is not one's turn, is not needed, or waits for others", () => {
  const handed = step(ME, "DELEGATED", { seat: 1 });
  expect(became(round("RUNNING", [handed, step(5, "PENDING", { seat: 1 })]))).toEqual({
    how: "handedOn",
    names: ["P5"],
  });
  expect(became(round("RUNNING", [step(5, "PENDING"), step(ME, "WAITING")]))).toEqual({ how: "notYet" });
  expect(became(round("RUNNING", [step(5, "PENDING"), step(ME, "NOT_NEEDED")]))).toEqual({ how: "enough" });
  expect(became(round("RUNNING", [step(5, "PENDING"), step(6, "INFO_REQUESTED")]))).toEqual({
    how: "waitsFor",
    names: ["P5", "P6"],
  });
  expect(became(round("RUNNING", [step(5, "WAITING")]))).toEqual({ how: "nobody" });
});

it("looks at the round one came for, and not at what an edit put aside", () => {
  const mine = said(ME, "APPROVED");
  const rounds = [round("RUNNING", [step(5, "PENDING")]), round("CANCELLED", [mine])];
  expect(whatBecame(rounds, ME, mine.id)).toEqual({ how: "withdrawn" });
  expect(whatBecame(rounds, ME)).toEqual({ how: "waitsFor", names: ["P5"] });
  const again = round("RUNNING", [], {
    stages: [
      { status: "SUPERSEDED", steps: [mine] },
      { status: "OPEN", steps: [step(5, "PENDING")] },
    ] as WorkflowRead["stages"],
  });
  expect(became(again)).toEqual({ how: "waitsFor", names: ["P5"] });
});
