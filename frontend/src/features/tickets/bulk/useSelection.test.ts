import { computed, effectScope, ref, shallowRef } from "vue";
import { expect, it } from "vitest";
import { emptyFilters, type Filters } from "../model";
import { useSelection } from "./useSelection";

let count = 0;
/** A list of its own, opened once or again. */
function list() {
  count += 1;
  const filters = ref<Filters>({ ...emptyFilters(), q: `list ${count}` });
  const loaded = shallowRef([10, 11, 12, 13, 14, 15]);
  const open = () =>
    effectScope().run(() =>
      useSelection(
        filters,
        computed(() => [...loaded.value]),
      ),
    ) as ReturnType<typeof useSelection>;
  return { filters, loaded, open };
}
const shown = ({ picked }: ReturnType<typeof useSelection>) => [...picked.value];

it("all that match stay selected whatever happens to the rows", () => {
  const { filters, loaded, open } = list();
  const it = open();
  it.pick(10, false);
  it.pick(14, true);
  expect(shown(it)).toEqual([10, 11, 12, 13, 14]);
  it.pickAll();
  loaded.value = [...loaded.value]; // a live event: the same rows, read again
  expect(it.isAll.value).toBe(true);
  loaded.value = [9, 11, 10, 16]; // others come, some go, the order changes
  expect(it.isAll.value).toBe(true);
  expect(shown(it)).toEqual([9, 11, 10, 16]);
  filters.value = { ...filters.value }; // the address is read again, and says the same
  expect(it.isAll.value).toBe(true);
  const again = open(); // the page is left and opened again
  expect(again.isAll.value).toBe(true);
  expect(again.hasPicked.value).toBe(true);
});

it("all that match are those of their own list", () => {
  const { filters, open } = list();
  const it = open();
  it.pick(12, false);
  it.pickAll();
  const before = filters.value;
  filters.value = { ...before, priority: ["HIGH"] };
  expect(it.isAll.value).toBe(false);
  expect(shown(it)).toEqual([12]);
  filters.value = before;
  expect(it.isAll.value).toBe(true);
});

it("what is pressed then is one row less, and no longer all", () => {
  const { open } = list();
  const it = open();
  it.pick(12, false);
  it.pickAll();
  it.pick(13, false);
  expect(it.isAll.value).toBe(false);
  expect(shown(it)).toEqual([10, 11, 12, 14, 15]);
  it.pickAll();
  it.pickShown(false);
  expect([it.isAll.value, shown(it)]).toEqual([false, []]);
  it.pickAll();
  it.clear();
  expect([it.isAll.value, shown(it)]).toEqual([false, []]);
});
