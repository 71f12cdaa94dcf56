import { ref, watch, type Ref } from "vue";

/**
 * A field with a list reads the name of what is chosen when it begins. Where that name comes later, the field is to
 * begin anew: `times` is its key. What was chosen in the field itself (`pick`) it shows already, and nobody who types
 * is interrupted.
 */
export function useLateName(chosen: Ref<number | null>, knows: (id: number) => boolean) {
  const times = ref(0);
  let picked: number | null = null;
  watch(
    () => chosen.value !== null && knows(chosen.value),
    (isKnown) => {
      if (isKnown && chosen.value !== picked) times.value += 1;
    },
  );
  function pick(id: number | null): void {
    picked = id;
    chosen.value = id;
  }
  return { times, pick };
}
