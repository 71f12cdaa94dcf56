import type { Verb } from "../queries";

/** Words begun for a step, kept while one looks at others, and given back when a decision is taken back. */
export interface Draft {
  verb: Verb | "add_approver";
  words: string;
  person: number | null;
}
const kept = new Map<number, Draft>();

export const keepDraft = (stepId: number, draft: Draft) => void kept.set(stepId, draft);
/** The words begun for a step; they are the caller's from now on. */
export function takeDraft(stepId: number): Draft | null {
  const draft = kept.get(stepId) ?? null;
  kept.delete(stepId);
  return draft;
}
