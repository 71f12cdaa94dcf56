// @vitest-environment jsdom

import { effectScope, nextTick, ref } from "vue";
import { expect, it } from "vitest";
import { useSteady } from "./useSteady";

it("keeps the list while something is pressed, and brings it up to date after the click", async () => {
  const scope = effectScope();
  const people = ref(["Carlos", "Jane"]);
  const shown = scope.run(() => useSteady(() => people.value.map((name) => name.toUpperCase())))!;
  people.value = ["Jane"];
  await nextTick();
  expect(shown.value).toEqual(["JANE"]);
  window.dispatchEvent(new Event("pointerdown"));
  people.value = ["Carlos", "Jane"];
  await nextTick();
  expect(shown.value).toEqual(["JANE"]);
  window.dispatchEvent(new Event("pointerup"));
  expect(shown.value).toEqual(["JANE"]); // so it is at the click, which follows
  await expect.poll(() => shown.value).toEqual(["CARLOS", "JANE"]);
  scope.stop();
});
