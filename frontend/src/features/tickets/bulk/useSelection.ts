import { computed, ref, shallowRef, type ComputedRef, type Ref } from "vue";
import { keyOf, memoryOf } from "../list/memory";
import type { Filters } from "../model";
import { isAllOf, MOST, NOTHING, press, type Selection } from "./picking";

/** What is selected in a list. It is changed by the one who selects and by nobody else: not by what moves in the rows. */
export function useSelection(filters: Ref<Filters>, rows: ComputedRef<number[]>) {
  const memory = memoryOf(filters);
  const selection = shallowRef<Selection>(memory.selection);
  const last = ref<number | null>(null);
  const isAll = computed(() => isAllOf(selection.value, keyOf(filters.value)));
  /** As it shows: where all that match are selected, every row is. */
  const picked = computed<ReadonlySet<number>>(() =>
    isAll.value ? new Set(rows.value) : selection.value.ids,
  );
  const isAny = ({ ids, all }: Selection) => ids.size > 0 || all !== null;
  const hasPicked = ref(isAny(selection.value));
  function set(now: Selection): void {
    selection.value = memory.selection = now;
    hasPicked.value ||= isAny(now);
  }

  function pick(id: number, isRange: boolean): void {
    set({ ids: press(picked.value, rows.value, id, isRange ? last.value : null, MOST), all: null });
    last.value = id;
  }
  function pickShown(on: boolean): void {
    set({ ids: new Set(on ? [...picked.value, ...rows.value].slice(0, MOST) : []), all: null });
  }
  const pickAll = () => set({ ids: selection.value.ids, all: keyOf(filters.value) });
  const clear = () => set(NOTHING);

  return { picked, isAll, hasPicked, pick, pickShown, pickAll, clear };
}
