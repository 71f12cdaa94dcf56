import { expect, it } from "vitest";
import { nextTick, reactive, ref } from "vue";
import { useLateName } from "./useLateName";

it("begins anew when the name of what was chosen elsewhere comes, and for nobody who chooses", async () => {
  const known = reactive(new Set<number>());
  const chosen = ref<number | null>(7);
  const { times, pick } = useLateName(chosen, (id) => known.has(id));
  known.add(7);
  await nextTick();
  expect(times.value).toBe(1);
  pick(8);
  await nextTick();
  known.add(8);
  await nextTick();
  expect([chosen.value, times.value]).toEqual([8, 1]);
  chosen.value = 9;
  await nextTick();
  known.add(9);
  await nextTick();
  expect(times.value).toBe(2);
  chosen.value = null;
  await nextTick();
  expect(times.value).toBe(2);
});
