/** Pure: what the server finds wrong with a document, at the stage and the field it is about. */
import type { Workflow } from "./model";

export interface Problem {
  pointer: string;
  level: "error" | "warning";
  code: string;
  message: string;
}
/** Where a problem stands: a stage of the screen (null: the workflow as a whole), and the rest of its pointer. */
export interface Placed extends Problem {
  stage: number | null;
  within: string;
}

/** Each problem at its stage; one about a stage that is not there any more is about the whole. */
export function placedIn(workflow: Workflow, problems: Problem[]): Placed[] {
  return problems.map((problem) => {
    const found = /^\/stages\/(\d+)(\/.*)?$/.exec(problem.pointer);
    const stage = found ? workflow.stages[Number(found[1])] : undefined;
    return {
      ...problem,
      stage: stage?.id ?? null,
      within: stage ? (found?.[2] ?? "") : problem.pointer,
    };
  });
}

/** Those of one stage; `null` for those about the workflow as a whole. */
export const ofStage = (problems: Placed[], stage: number | null): Placed[] =>
  problems.filter((problem) => problem.stage === stage);

/** Those at a field or inside it, with pointers from there on. */
export const under = (problems: Placed[], field: string): Placed[] =>
  problems
    .filter((p) => p.within === field || p.within.startsWith(`${field}/`))
    .map((p) => ({ ...p, pointer: p.within.slice(field.length), within: p.within.slice(field.length) }));

/** What is said at a field; undefined when all is well there. */
export function saidAt(problems: Placed[], field: string): string | undefined {
  const words = under(problems, field)
    .filter((p) => p.level === "error")
    .map((p) => p.message);
  return words.length ? words.join("; ") : undefined;
}

export const hasError = (problems: Problem[]): boolean => problems.some((p) => p.level === "error");
