/** Pure: who is picked from a list, and what a preview comes to. */
import type { PeoplePreview } from "@/api/generated";

/** So many can be changed at once. */
export const MOST = 1000;

/** Picked or not any more; nobody is added beyond as many as can be changed at once. */
export function toggled(picked: ReadonlySet<number>, id: number): Set<number> {
  const now = new Set(picked);
  if (!now.delete(id) && now.size < MOST) now.add(id);
  return now;
}

/** Everybody shown, or none of them. */
export function shown(picked: ReadonlySet<number>, ids: number[], on: boolean): Set<number> {
  if (!on) return new Set([...picked].filter((id) => !ids.includes(id)));
  return new Set([...picked, ...ids].slice(0, MOST));
}

export interface Summary {
  done: number;
  same: number;
  waits: number;
  refused: { name: string; why: string }[];
}

/** How many would be changed, are so already, would wait for a second administrator; and who cannot be, and why. */
export function summaryOf({ results }: Pick<PeoplePreview, "results">): Summary {
  const count = (outcome: string) => results.filter((r) => r.outcome === outcome).length;
  return {
    done: count("DONE"),
    same: count("SAME"),
    waits: count("WAITS"),
    refused: results.flatMap((r) => (r.error ? [{ name: r.user.name, why: r.error.detail }] : [])),
  };
}
