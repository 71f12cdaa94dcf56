import type { Ref } from "vue";
import { NOTHING, type Selection } from "../bulk/picking";
import { queryOf, type Filters } from "../model";

interface Memory {
  current: number;
  selection: Selection;
}
const MOST = 20;
const kept = new Map<string, Memory>();

/** A list by what it shows. */
export const keyOf = (filters: Filters): string => JSON.stringify(queryOf(filters));

/** Where one was in a list and what was selected: kept while the app is open, for coming back. */
export function memoryOf(filters: Ref<Filters>): Memory {
  const of = (): Memory => {
    const key = keyOf(filters.value);
    const found = kept.get(key) ?? { current: -1, selection: NOTHING };
    kept.delete(key);
    kept.set(key, found);
    if (kept.size > MOST) kept.delete(kept.keys().next().value as string);
    return found;
  };
  return {
    get current() {
      return of().current;
    },
    set current(n) {
      of().current = n;
    },
    get selection() {
      return of().selection;
    },
    set selection(now) {
      of().selection = now;
    },
  };
}
