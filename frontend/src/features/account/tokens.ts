import type { TokenScopeGroup } from "@/api/generated";

const DAY = 86_400_000;

/** The permissions of the groups that were picked, each once. */
export function chosenOf(groups: TokenScopeGroup[], picked: string[]): string[] {
  return [...new Set(groups.filter((g) => picked.includes(g.key)).flatMap((g) => g.permissions))].sort();
}

/** When a token that lives for so many days ends. */
export function endOf(days: number, now = Date.now()): string {
  return new Date(now + days * DAY).toISOString();
}

/** A secret that is told once; `label` says which of several things it is. */
export interface Told {
  title: string;
  label?: string;
  secret: string;
}

/** The groups with only these permissions; what is left empty is left out. */
export function within(groups: TokenScopeGroup[], permissions: string[]): TokenScopeGroup[] {
  return groups
    .map((g) => ({ ...g, permissions: g.permissions.filter((p) => permissions.includes(p)) }))
    .filter((g) => g.permissions.length);
}
