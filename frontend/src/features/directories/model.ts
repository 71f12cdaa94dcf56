/** Pure: how a look at a directory stands, and how many people became what. */
import type { RunPersonRead, RunRead } from "@/api/generated";

/** What can become of people, in the order in which it matters. */
export const ACTIONS = ["DEACTIVATE", "REACTIVATE", "CREATE", "LINK", "UPDATE", "SKIP"] as const;
export type Action = (typeof ACTIONS)[number];

export interface Count {
  key: Action | "FAILED" | "SAME";
  count: number;
}

/** Whether a worker has it, or is about to. */
export const isOpen = (run: RunRead): boolean => run.state === "WAITING" || run.state === "RUNNING";

/** Whether there is more to see of it than its state. */
export const hasPeople = (run: RunRead): boolean => ACTIONS.some((a) => (run.counts[a] ?? 0) > 0);

/** What became of how many, without what became of nobody; failures come first. */
export function countsOf(run: RunRead): Count[] {
  const keys = ["FAILED", ...ACTIONS, "SAME"] as const;
  return keys.map((key) => ({ key, count: run.counts[key] ?? 0 })).filter((c) => c.count > 0);
}

/** What a list of one run can be narrowed to: what became of somebody. */
export function filtersOf(run: RunRead): Count[] {
  return countsOf(run).filter((c) => c.key !== "FAILED" && c.key !== "SAME");
}

const LOOKS: Record<RunRead["state"], "good" | "bad" | "waits" | "quiet"> = {
  WAITING: "quiet",
  RUNNING: "quiet",
  DONE: "good",
  PLANNED: "good",
  APPLIED: "good",
  STOPPED: "waits",
  HELD: "waits",
  FAILED: "bad",
  DISMISSED: "quiet",
};

/** How it looks at a glance. Done with people who could not be is no success. */
export function lookOf(run: RunRead): "good" | "bad" | "waits" | "quiet" {
  return run.state === "DONE" && (run.counts.FAILED ?? 0) > 0 ? "waits" : LOOKS[run.state];
}

/** Whether what is shown of somebody would be done, or was, or was not. */
export function outcomeOf(run: RunRead, person: RunPersonRead): "would" | "did" | "failed" {
  if (person.error) return "failed";
  return run.state === "DONE" ? "did" : "would";
}
