/**
 * Pure: a workflow as a picture and back. A stage with a condition stands behind a gate; the way past it leads from the
 * gate to what follows. Sizes are told, so that the picture is the same on every screen.
 */
import type { Workflow } from "./model";

export interface Node {
  id: string;
  kind: "start" | "gate" | "stage" | "end";
  /** The stage's place in the workflow. */
  n: number | null;
  width: number;
  height: number;
}
export interface Edge {
  id: string;
  from: string;
  to: string;
  kind: "always" | "when" | "otherwise";
  /** Where a stage added on this edge would stand; null where none is added. */
  at: number | null;
}
export interface Graph {
  nodes: Node[];
  edges: Edge[];
}

export const WIDTH = 264;
const LINE = 20;
/** At most so many approvers are shown in a stage's card. */
export const SHOWN = 4;

/** How high a stage's card is: its name, its approvers, how many of them, and by when. */
export function heightOf(approvers: number): number {
  const lines = Math.min(Math.max(approvers, 1), SHOWN) + (approvers > SHOWN ? 1 : 0);
  return 40 + lines * LINE + 8 + 28;
}

const isAlways = (condition: unknown): boolean => condition === null || condition === undefined;

export function graphOf(workflow: Workflow): Graph {
  const nodes: Node[] = [{ id: "start", kind: "start", n: null, width: WIDTH, height: 72 }];
  const edges: Edge[] = [];
  const { stages } = workflow;
  const entryOf = (n: number): string => {
    const { [n]: stage } = stages;
    if (!stage) return "end";
    return isAlways(stage.condition) ? `stage-${stage.id}` : `gate-${stage.id}`;
  };
  const join = (from: string, to: string, kind: Edge["kind"], at: number | null = null) =>
    edges.push({ id: `${from}:${to}:${kind}`, from, to, kind, at });
  join("start", entryOf(0), "always", 0);
  stages.forEach((stage, n) => {
    const id = `stage-${stage.id}`;
    if (!isAlways(stage.condition)) {
      nodes.push({ id: entryOf(n), kind: "gate", n, width: WIDTH, height: 48 });
      join(entryOf(n), id, "when");
      join(entryOf(n), entryOf(n + 1), "otherwise");
    }
    nodes.push({ id, kind: "stage", n, width: WIDTH, height: heightOf(stage.approvers.length) });
    join(id, entryOf(n + 1), "always", n + 1);
  });
  nodes.push({ id: "end", kind: "end", n: null, width: 160, height: 36 });
  return { nodes, edges };
}

/** The edges a request goes along when these stages apply, in their order. */
export function wayOf(workflow: Workflow, applies: boolean[]): Set<string> {
  const found = new Set<string>();
  for (const edge of graphOf(workflow).edges) {
    const [, what, id] = /^(stage|gate)-(\d+)$/.exec(edge.from) ?? [];
    const n = workflow.stages.findIndex((stage) => stage.id === Number(id));
    const isTaken = what === undefined || (edge.kind === "otherwise" ? !applies[n] : applies[n]);
    if (isTaken) found.add(edge.id);
  }
  return found;
}

/** Where a stage goes that was dropped with its middle at this height, the others standing at theirs. */
export function placeFor(id: number, y: number, others: { id: number; y: number }[]): number {
  return others.filter((other) => other.id !== id && other.y < y).length;
}
