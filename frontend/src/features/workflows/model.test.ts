import { describe, expect, it } from "vitest";
import {
  added,
  approverJson,
  approverOf,
  approversIn,
  asBefore,
  changed,
  documentOf,
  duplicated,
  isSame,
  isWhole,
  KINDS,
  MAX_STAGES,
  memberOf,
  moved,
  newApprover,
  newDocument,
  newEscalation,
  newStage,
  placed,
  removed,
  sizeOf,
  workflowOf,
  type Stage,
  type Workflow,
} from "./model";

const condition = { all: [{ field: "amount", op: "gte", value: "5000" }] };
const document = {
  name: "Purchases",
  condition,
  one_by_one_above: "2500.00",
  stages: [
    {
      name: "Manager",
      condition: null,
      approvers: [{ kind: "REQUESTER_MANAGER" }],
      mode: "PARALLEL",
      quorum: "ALL",
      due_in_minutes: 1440,
      escalation: null,
    },
    {
      name: "Committee",
      condition,
      approvers: [
        { kind: "TEAM", team_id: 3 },
        { kind: "USERS", user_ids: [7, 8] },
        { kind: "DEPARTMENT_HEAD", department_id: 2 },
      ],
      mode: "PARALLEL",
      quorum: { percent: 60 },
      due_in_minutes: 2880,
      escalation: {
        remind_before_minutes: [1440, 0],
        after_minutes: 60,
        to: { kind: "NEXT_MANAGER" },
        repeat: 3,
        finally: "REJECT",
      },
      judges: ["amount", "custom.payee"],
      fallback: [{ kind: "ROLE", role: "executive" }],
    },
  ],
};
const read = (): Workflow => workflowOf(document);
const names = (workflow: Workflow) => workflow.stages.map((s) => s.name);
const stageAt = (workflow: Workflow, n: number): Stage => {
  const { [n]: stage } = workflow.stages;
  if (!stage) throw new Error(String(n));
  return stage;
};

describe("the document", () => {
  it("comes back as it was", () => {
    expect(documentOf(read())).toEqual(document);
  });
  it("keeps what it does not know", () => {
    const more = { ...document, later: 1, stages: [{ ...document.stages[0], later: { a: [1] } }] };
    expect(documentOf(workflowOf(more))).toEqual(more);
  });
  it("takes what is left out, or makes no sense, for the usual", () => {
    const empty = workflowOf({ stages: [{ quorum: "HALF", escalation: {}, approvers: [{}] }, null] });
    expect(empty).toMatchObject({ name: "", condition: null, oneByOneAbove: null });
    expect(stageAt(empty, 0)).toMatchObject({
      name: "",
      mode: "PARALLEL",
      quorum: "ALL",
      dueIn: 2880,
      judges: null,
      fallback: [],
      escalation: { remind: [0], after: 1440, repeat: 1, finally: "ADMINISTRATORS" },
    });
    const atWork = workflowOf({ stages: [{ counts: "WORKING_TIME" }] });
    expect(stageAt(atWork, 0)).toMatchObject({ counts: "WORKING_TIME", dueIn: 960 });
    expect(stageAt(empty, 0).escalation?.to.kind).toBe("NEXT_MANAGER");
    expect(stageAt(empty, 0).approvers[0]).toMatchObject({ kind: "USER", target: null });
    expect(stageAt(empty, 1).approvers).toEqual([]);
    expect(workflowOf("nonsense").stages).toEqual([]);
    expect(workflowOf({ one_by_one_above: null }).oneByOneAbove).toBeNull();
  });
  it("reads every quorum and ladder", () => {
    const one = (stage: object) => stageAt(workflowOf({ stages: [stage] }), 0);
    for (const quorum of ["ANY", "FIRST", "ALL", 2, { percent: 12.5 }])
      expect(one({ quorum }).quorum).toEqual(quorum);
    expect(one({ mode: "SEQUENTIAL" }).mode).toBe("SEQUENTIAL");
    expect(one({ escalation: { repeat: true, to: { kind: "TEAM", team_id: 1 } } }).escalation).toMatchObject({
      repeat: 10,
      to: { kind: "TEAM", target: 1 },
    });
    expect(one({ escalation: { repeat: 0, remind_before_minutes: [5, "x"] } }).escalation).toMatchObject({
      repeat: 0,
      remind: [5],
    });
  });
  it("knows whether it would be kept as the same", () => {
    expect(isSame(read(), read())).toBe(true);
    expect(isSame(read(), { ...read(), name: "Other" })).toBe(false);
  });
  it("begins with the manager", () => {
    expect(newDocument("New", "Manager")).toMatchObject({
      name: "New",
      stages: [{ name: "Manager", approvers: [{ kind: "REQUESTER_MANAGER" }] }],
    });
  });
});

describe("approvers", () => {
  it("say which one in the member of their kind", () => {
    const wire = [
      { kind: "USER", user_id: 4 },
      { kind: "USERS", user_ids: [4, 5] },
      { kind: "TEAM", team_id: 4 },
      { kind: "ROLE", role: "finance" },
      { kind: "MANAGER_LEVEL", level: 3 },
      { kind: "FORM_FIELD", field: "payee" },
      { kind: "DEPARTMENT_HEAD", department_id: 1 },
      { kind: "DEPARTMENT_HEAD" },
      { kind: "REQUESTER_MANAGER" },
      { kind: "NEXT_MANAGER" },
    ];
    for (const json of wire) expect(approverJson(approverOf(json))).toEqual(json);
    expect(approverOf({ kind: "USERS", user_ids: [1, "x"] }).target).toEqual([1]);
    expect(approverOf("x")).toMatchObject({ kind: "USER", target: null });
    expect(memberOf("TEAM")).toBe("team_id");
    expect(memberOf("REQUESTER_MANAGER")).toBe("kind");
  });
  it("know whether they say all they must, and how many they stand for", () => {
    const whole = KINDS.filter((kind) => isWhole(newApprover(kind)));
    expect(whole).toEqual(["REQUESTER_MANAGER", "MANAGERS_MANAGER", "MANAGER_LEVEL", "DEPARTMENT_HEAD"]);
    expect(isWhole(approverOf({ kind: "USERS", user_ids: [1] }))).toBe(true);
    expect(sizeOf(approverOf({ kind: "USERS", user_ids: [1, 2] }))).toBe(2);
    expect(sizeOf(newApprover("DEPARTMENT_HEAD"))).toBe(1);
    expect(sizeOf(newApprover("ROLE"))).toBeNull();
  });
  it("are found wherever they are named", () => {
    expect(approversIn(read()).map((a) => a.kind)).toEqual([
      "REQUESTER_MANAGER",
      "TEAM",
      "USERS",
      "DEPARTMENT_HEAD",
      "NEXT_MANAGER",
      "ROLE",
    ]);
  });
});

describe("stages", () => {
  it("are added where they belong, up to a limit", () => {
    expect(names(added(read(), 1, newStage("Finance")))).toEqual(["Manager", "Finance", "Committee"]);
    let full = read();
    for (let n = 0; n < 30; n += 1) full = added(full, 0, newStage(String(n)));
    expect(full.stages).toHaveLength(MAX_STAGES);
  });
  it("are changed and removed by who they are", () => {
    const workflow = read();
    const second = stageAt(workflow, 1);
    expect(names(changed(workflow, { ...second, name: "Board" }))).toEqual(["Manager", "Board"]);
    expect(names(removed(workflow, second.id))).toEqual(["Manager"]);
  });
  it("move, and stay where they cannot go", () => {
    const workflow = read();
    const { id } = stageAt(workflow, 0);
    expect(names(moved(workflow, id, 1))).toEqual(["Committee", "Manager"]);
    expect(moved(workflow, id, -1)).toBe(workflow);
    expect(moved(workflow, id, 2)).toBe(workflow);
    expect(moved(workflow, 0, 1)).toBe(workflow);
    expect(placed(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
  });
  it("are copied with rows of their own", () => {
    const workflow = read();
    const original = stageAt(workflow, 1);
    const { workflow: next, id } = duplicated(workflow, original.id, "Committee (copy)");
    const copy = stageAt(next, 2);
    expect(names(next)).toEqual(["Manager", "Committee", "Committee (copy)"]);
    expect(copy.id).toBe(id);
    expect(copy.escalation).toMatchObject({ after: 60, repeat: 3 });
    expect(copy.approvers[0]?.id).not.toBe(original.approvers[0]?.id);
    expect(duplicated(workflow, 0, "x").workflow).toBe(workflow);
    let full = workflow;
    for (let n = 0; n < 30; n += 1) full = added(full, 0, newStage(String(n)));
    expect(duplicated(full, original.id, "x")).toEqual({ workflow: full, id: original.id });
  });
  it("stay themselves when the same document is read again", () => {
    const before = read();
    const again = asBefore(
      workflowOf({ ...document, stages: [document.stages[0], { name: "Other" }] }),
      before,
    );
    expect(again.stages[0]?.id).toBe(before.stages[0]?.id);
    expect(again.stages[1]?.id).not.toBe(before.stages[1]?.id);
  });
  it("may have a ladder of their own", () => {
    expect(newEscalation()).toMatchObject({
      remind: [0],
      after: 1440,
      repeat: 10,
      finally: "ADMINISTRATORS",
    });
  });
});
