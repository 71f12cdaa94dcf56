import { describe, expect, it } from "vitest";
import { graphOf, heightOf, placeFor, wayOf } from "./graph";
import { begin, put, redone, undone } from "./history";
import { layoutOf } from "./layout";
import {
  countedAs,
  minutesOf,
  needed,
  partsOf,
  quorumAs,
  quorumKind,
  rungsOf,
  seatsOf,
  spanOf,
  unitsOf,
  MAX_MINUTES,
} from "./measures";
import { approverOf, workflowOf } from "./model";
import { hasError, ofStage, placedIn, saidAt, under } from "./problems";

describe("what was done", () => {
  it("is undone and done again", () => {
    let history = begin("a");
    history = put(history, "b", null, 0);
    history = put(history, "c", null, 0);
    expect(undone(history).present).toBe("b");
    expect(redone(undone(history)).present).toBe("c");
    expect(undone(undone(undone(history))).present).toBe("a");
    expect(redone(history)).toBe(history);
    expect(put(undone(history), "d", null, 0).future).toEqual([]);
    expect(put(history, "c", null, 0)).toBe(history);
  });
  it("is one step while one types in one place", () => {
    let history = put(begin(""), "a", "name", 0);
    history = put(history, "ab", "name", 500);
    expect(undone(history).present).toBe("");
    expect(undone(put(history, "abc", "name", 5000)).present).toBe("ab");
    expect(undone(put(history, "abc", "other", 600)).present).toBe("ab");
    // The first step after undoing is a step of its own, whatever it was before.
    expect(undone(put(undone(history), "x", "name", 700)).present).toBe("");
  });
  it("is forgotten when it is long ago", () => {
    let history = begin(0);
    for (let n = 1; n <= 150; n += 1) history = put(history, n, null, n);
    expect(history.past).toHaveLength(100);
  });
});

describe("how many must say yes", () => {
  const stage = (quorum: unknown, mode = "PARALLEL") => {
    const [made] = workflowOf({ stages: [{ quorum, mode }] }).stages;
    if (!made) throw new Error();
    return made;
  };
  it("is counted as the server counts", () => {
    expect(needed(stage("ALL"), 3)).toBe(3);
    expect(needed(stage("ANY"), 3)).toBe(1);
    expect(needed(stage("FIRST"), 3)).toBe(1);
    expect(needed(stage(2), 3)).toBe(2);
    expect(needed(stage(5), 3)).toBe(3);
    expect(needed(stage({ percent: 50 }), 3)).toBe(2);
    expect(needed(stage({ percent: 1 }), 3)).toBe(1);
    expect(needed(stage({ percent: 60 }), 5)).toBe(3);
    expect(needed(stage("ANY", "SEQUENTIAL"), 3)).toBe(3);
  });
  it("has kinds that turn into each other", () => {
    expect([2, { percent: 5 }, "ANY" as const].map(quorumKind)).toEqual(["NUMBER", "PERCENT", "ANY"]);
    expect(quorumAs("NUMBER", 3)).toBe(2);
    expect(quorumAs("NUMBER", 0)).toBe(1);
    expect(quorumAs("PERCENT", 3)).toEqual({ percent: 50 });
    expect(quorumAs("FIRST", 3)).toBe("FIRST");
  });
  it("depends on how many are asked", () => {
    const of = (...approvers: object[]) => ({ approvers: approvers.map(approverOf) });
    const sizes = (id: number) => (id === 1 ? 4 : null);
    expect(seatsOf(of({ kind: "TEAM", team_id: 1 }, { kind: "USERS", user_ids: [1, 2] }), sizes)).toBe(6);
    expect(seatsOf(of({ kind: "TEAM", team_id: 2 }), sizes)).toBeNull();
    expect(seatsOf(of({ kind: "ROLE", role: "x" }), sizes)).toBeNull();
    expect(seatsOf(of({ kind: "TEAM" }), sizes)).toBeNull();
  });
});

describe("by when", () => {
  it("is said in the largest whole unit", () => {
    expect(spanOf(2880)).toEqual({ count: 2, unit: "day" });
    expect(spanOf(10_080)).toEqual({ count: 1, unit: "week" });
    expect(spanOf(90)).toEqual({ count: 90, unit: "minute" });
    expect(spanOf(120)).toEqual({ count: 2, unit: "hour" });
    expect(spanOf(0)).toEqual({ count: 0, unit: "minute" });
  });
  it("is said in at most two units otherwise", () => {
    expect(partsOf(3120)).toEqual([
      { count: 2, unit: "day" },
      { count: 4, unit: "hour" },
    ]);
    expect(partsOf(2880)).toEqual([{ count: 2, unit: "day" }]);
    expect(partsOf(1501).map((p) => p.unit)).toEqual(["day", "hour"]);
    expect(partsOf(0)).toEqual([{ count: 0, unit: "minute" }]);
  });
  it("is kept in minutes, within bounds", () => {
    expect(minutesOf({ count: 1.5, unit: "hour" })).toBe(90);
    expect(minutesOf({ count: 0, unit: "day" })).toBeNull();
    expect(minutesOf({ count: 0, unit: "day" }, 0)).toBe(0);
    expect(minutesOf({ count: MAX_MINUTES, unit: "week" })).toBeNull();
    expect(minutesOf({ count: Number.NaN, unit: "day" })).toBeNull();
  });
  it("has a ladder for when nobody answers", () => {
    expect(rungsOf(2880, { remind: [0, 1440], after: 60, repeat: 3 })).toEqual([
      { at: 1440, what: "remind" },
      { at: 2880, what: "dueRemind" },
      { at: 2940, what: "ask" },
      { at: 3060, what: "repeat" },
      { at: 3120, what: "finally" },
    ]);
    // A reminder before anybody was asked never comes; nobody further up is asked.
    expect(rungsOf(60, { remind: [90], after: 30, repeat: 0 })).toEqual([
      { at: 60, what: "due" },
      { at: 90, what: "finally" },
    ]);
  });
});

const workflow = workflowOf({
  stages: [
    { name: "Manager" },
    { name: "Finance", condition: { field: "amount", op: "gt", value: "1" } },
    { name: "Board", condition: { field: "amount", op: "gt", value: "9" } },
  ],
});
const [manager, finance, board] = workflow.stages.map((s) => s.id);

describe("what is wrong", () => {
  const found = placedIn(workflow, [
    { pointer: "/stages/1/approvers/0/team_id", level: "error", code: "x", message: "Choose a team" },
    { pointer: "/stages/1/name", level: "warning", code: "y", message: "Odd" },
    { pointer: "/stages/1", level: "error", code: "u", message: "Never reached" },
    { pointer: "/condition", level: "warning", code: "z", message: "Shadowed" },
    { pointer: "/stages/9/name", level: "error", code: "z", message: "Gone" },
  ]);
  it("stands at its stage and its field", () => {
    expect(ofStage(found, finance ?? 0).map((p) => p.within)).toEqual(["/approvers/0/team_id", "/name", ""]);
    expect(ofStage(found, null).map((p) => p.message)).toEqual(["Shadowed", "Gone"]);
    const own = ofStage(found, finance ?? 0);
    expect(saidAt(own, "/approvers")).toBe("Choose a team");
    expect(saidAt(own, "/name")).toBeUndefined();
    expect(under(own, "/approvers/0").map((p) => p.pointer)).toEqual(["/team_id"]);
    expect(hasError(found)).toBe(true);
    expect(hasError(ofStage(found, null).slice(0, 1))).toBe(false);
  });
});

describe("the picture", () => {
  it("has a gate before what has a condition, and a way past it", () => {
    const { nodes, edges } = graphOf(workflow);
    expect(nodes.map((n) => n.id)).toEqual([
      "start",
      `stage-${manager}`,
      `gate-${finance}`,
      `stage-${finance}`,
      `gate-${board}`,
      `stage-${board}`,
      "end",
    ]);
    expect(edges.map(({ from, to, kind, at }) => [from, to, kind, at])).toEqual([
      ["start", `stage-${manager}`, "always", 0],
      [`stage-${manager}`, `gate-${finance}`, "always", 1],
      [`gate-${finance}`, `stage-${finance}`, "when", null],
      [`gate-${finance}`, `gate-${board}`, "otherwise", null],
      [`stage-${finance}`, `gate-${board}`, "always", 2],
      [`gate-${board}`, `stage-${board}`, "when", null],
      [`gate-${board}`, "end", "otherwise", null],
      [`stage-${board}`, "end", "always", 3],
    ]);
    expect(graphOf(workflowOf({})).edges).toEqual([
      { id: "start:end:always", from: "start", to: "end", kind: "always", at: 0 },
    ]);
  });
  it("shows the way a request goes", () => {
    const way = wayOf(workflow, [true, false, true]);
    expect([...way]).toEqual([
      `start:stage-${manager}:always`,
      `stage-${manager}:gate-${finance}:always`,
      `gate-${finance}:gate-${board}:otherwise`,
      `gate-${board}:stage-${board}:when`,
      `stage-${board}:end:always`,
    ]);
  });
  it("grows with the approvers, up to a height", () => {
    expect(heightOf(0)).toBe(heightOf(1));
    expect(heightOf(3)).toBeGreaterThan(heightOf(2));
    expect(heightOf(40)).toBe(heightOf(5));
  });
  it("stands in one line from top to bottom", () => {
    const graph = graphOf(workflow);
    const places = layoutOf(graph);
    const middles = graph.nodes.map((n) => (places.get(n.id)?.x ?? 0) + n.width / 2);
    expect(new Set(middles.map(Math.round)).size).toBe(1);
    const ends = graph.nodes.map((n) => ({ top: places.get(n.id)?.y ?? 0, height: n.height }));
    for (const [n, { top }] of ends.entries())
      if (n > 0) expect(top).toBeGreaterThan((ends[n - 1]?.top ?? 0) + (ends[n - 1]?.height ?? 0));
  });
  it("is turned into an order again", () => {
    const others = [
      { id: 1, y: 100 },
      { id: 2, y: 200 },
      { id: 3, y: 300 },
    ];
    expect(placeFor(1, 250, others)).toBe(1);
    expect(placeFor(3, 0, others)).toBe(0);
    expect(placeFor(2, 210, others)).toBe(1);
  });
});

describe("working time", () => {
  const stage = (more: object) => workflowOf({ stages: [{ name: "A", approvers: [], ...more }] }).stages[0]!;
  it("is said in hours", () => {
    expect(spanOf(2880, unitsOf("WORKING_TIME"))).toEqual({ count: 48, unit: "hour" });
    expect(partsOf(2910, unitsOf("WORKING_TIME"))).toEqual([
      { count: 48, unit: "hour" },
      { count: 30, unit: "minute" },
    ]);
  });
  it("has days of eight hours, and back", () => {
    const to = { kind: "NEXT_MANAGER" };
    const escalation = { remind_before_minutes: [1440, 60, 0], after_minutes: 1440, to, repeat: 2 };
    const plain = stage({ due_in_minutes: 2880, escalation });
    const worked = countedAs(plain, "WORKING_TIME");
    expect(worked).toMatchObject({ counts: "WORKING_TIME", dueIn: 960 });
    expect(worked.escalation).toMatchObject({ remind: [480, 60, 0], after: 480 });
    const back = countedAs({ ...plain, ...worked }, "CLOCK");
    expect(back).toMatchObject({ counts: "CLOCK", dueIn: 2880, escalation: { after: 1440 } });
    expect(countedAs(stage({ due_in_minutes: 600 }), "WORKING_TIME").dueIn).toBe(480);
    expect(countedAs(stage({ due_in_minutes: 60 }), "WORKING_TIME").dueIn).toBe(60);
  });
});
