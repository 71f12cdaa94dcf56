import { useNow as tick } from "@vueuse/core";
import { computed } from "vue";

const clock = tick({ interval: 30_000 });

/** One clock for every relative time on the screen, in milliseconds. */
export function useNow() {
  return computed(() => clock.value.getTime());
}
