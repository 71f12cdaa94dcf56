/** A policy's newest version applied to running requests: what is said of a run. Pure. */
import type { LevelCounts, LevelRunInShort } from "@/api/generated";

/** What is said of clocks, in this order, as far as there is any of it. */
export const SAID = ["late", "earlier", "later", "eased", "begun", "ended", "moved", "failed"] as const;
export type Said = (typeof SAID)[number];

export interface Line {
  what: Said;
  count: number;
  /** Worth a second look before it is done. */
  isGrave: boolean;
}

/** What a run comes to, line by line; nothing is said of what there is none of. */
export const linesOf = (counts: LevelCounts): Line[] =>
  SAID.filter((what) => counts[what] > 0).map((what) => ({
    what,
    count: counts[what],
    isGrave: what === "late" || what === "failed",
  }));

/** Whether applying would change anything at all. */
export const changesAny = (counts: LevelCounts) => counts.requests + counts.moved > 0;

export const isGoing = (run: Pick<LevelRunInShort, "status"> | undefined) => run?.status === "RUNNING";

/** Whether what was looked at is still what would be done. */
export const isCurrent = (trial: LevelRunInShort | undefined, version: number) =>
  trial?.status === "FINISHED" && trial.policy_version === version;
