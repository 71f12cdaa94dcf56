/** Pure: for how many years groups of entries are kept, as it is chosen. */
import type { RetentionRead, RetentionSetup } from "@/api/generated";

export const GROUPS = ["sign_ins", "readings", "messages", "system"] as const;
export type Group = (typeof GROUPS)[number];
export type Chosen = Record<Group, number>;
export const FOR_EVER = 0;
export const YEARS = [1, 2, 3, 5, 6, 7, 10, 15, 20, 30] as const;

/** The policy as the form holds it. */
export function yearsOf(policy: RetentionRead | null): Chosen {
  const years = (key: Group) => policy?.groups.find((group) => group.key === key)?.years ?? FOR_EVER;
  return {
    sign_ins: years("sign_ins"),
    readings: years("readings"),
    messages: years("messages"),
    system: years("system"),
  };
}

/** What is sent. */
export function bodyOf(chosen: Chosen, version: number): RetentionSetup {
  const years = (key: Group) => (chosen[key] === FOR_EVER ? null : chosen[key]);
  return {
    sign_ins: years("sign_ins"),
    readings: years("readings"),
    messages: years("messages"),
    system: years("system"),
    version,
  };
}

/** Whether anything would be kept for less long than before. */
export function shortens(before: Chosen, after: Chosen): boolean {
  const length = (years: number) => (years === FOR_EVER ? Infinity : years);
  return GROUPS.some((key) => length(after[key]) < length(before[key]));
}
