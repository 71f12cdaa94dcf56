import { useEventListener } from "@vueuse/core";
import { ref, shallowRef, toValue, watch, type MaybeRefOrGetter, type Ref } from "vue";

/**
 * A list that stands still while a button or a finger is down. What is found while somebody types comes late, and the list's
 * entries change places under the pointer: whom they pressed is whom they get.
 */
export function useSteady<T>(wanted: MaybeRefOrGetter<T>): Readonly<Ref<T>> {
  const isPressed = ref(false);
  const shown = shallowRef(toValue(wanted));
  useEventListener(window, "pointerdown", () => (isPressed.value = true), { capture: true });
  // the click, by which an entry is chosen, follows the release at once
  const release = () => setTimeout(() => (isPressed.value = false));
  useEventListener(window, ["pointerup", "pointercancel"], release, { capture: true });
  watch([() => toValue(wanted), isPressed], ([now, pressed]) => {
    if (!pressed) shown.value = now;
  });
  return shown;
}
