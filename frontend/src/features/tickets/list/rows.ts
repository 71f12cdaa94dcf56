/** Pure: rows of a list, by their ids. */

/**
 * The ids a fresh first page has and the loaded rows do not, as far down as the two overlap: what stands behind the last
 * row they share has only moved up.
 */
export function newOnes(loaded: readonly number[], page: readonly number[]): number[] {
  const known = new Set(loaded);
  let last = page.length - 1;
  if (loaded.length) while (last >= 0 && !known.has(page[last] as number)) last -= 1;
  // Nothing shared: a whole page of new rows, or another list altogether.
  const upTo = last < 0 ? page.length : last + 1;
  return page.slice(0, upTo).filter((id) => !known.has(id));
}

/** Where in a list a step of `by` leads from `at` (-1: nowhere yet). */
export function stepped(at: number, by: number, length: number): number {
  if (!length) return -1;
  return Math.max(0, Math.min(length - 1, at < 0 ? (by > 0 ? 0 : length - 1) : at + by));
}
