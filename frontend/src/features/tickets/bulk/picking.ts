/** Pure: which tickets are selected, by single presses, by ranges, and all that a list's filters find. */

export const MOST = 2000; // tickets one job takes

/**
 * What is selected. `all` are the filters whose every match is meant, shown or not, as they stand in the address: it
 * counts for that list and for no other, whatever happens to its rows.
 */
export interface Selection {
  ids: ReadonlySet<number>;
  all: string | null;
}
export const NOTHING: Selection = { ids: new Set(), all: null };
export const isAllOf = (selection: Selection, filters: string): boolean => selection.all === filters;

/** The picked ids after a press on `id`; with `from`, every row between the two is set to what `id` becomes. */
export function press(
  picked: ReadonlySet<number>,
  rows: readonly number[],
  id: number,
  from: number | null,
  most: number,
): Set<number> {
  const next = new Set(picked);
  const on = !picked.has(id);
  const [a, b] = [rows.indexOf(from ?? id), rows.indexOf(id)];
  const range = a < 0 || b < 0 ? [id] : rows.slice(Math.min(a, b), Math.max(a, b) + 1);
  for (const row of range) {
    if (!on) next.delete(row);
    else if (next.size < most) next.add(row);
  }
  return next;
}

/** How often each reason stands, the most frequent first. */
export function reasons(results: readonly { error: { detail: string } | null }[]): [string, number][] {
  const counted = new Map<string, number>();
  for (const { error } of results) {
    if (error) counted.set(error.detail, (counted.get(error.detail) ?? 0) + 1);
  }
  return [...counted].sort((a, b) => b[1] - a[1]);
}

/** Tags as somebody types them, each once. */
export function tagsOf(typed: string): string[] {
  return [...new Set(typed.split(/[,;]/).map((tag) => tag.trim()))].filter(Boolean);
}
