import type { Ref } from "vue";
import { queryOf, type Filters } from "../model";

interface Memory {
  current: number;
  picked: ReadonlySet<number>;
}
const MOST = 20;
const kept = new Map<string, Memory>();

/** Where one was in a list and what was selected: kept while the app is open, for coming back. */
export function memoryOf(filters: Ref<Filters>): Memory {
  const of = (): Memory => {
    const key = JSON.stringify(queryOf(filters.value));
    const found = kept.get(key) ?? { current: -1, picked: new Set<number>() };
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
    get picked() {
      return of().picked;
    },
    set picked(ids) {
      of().picked = ids;
    },
  };
}
