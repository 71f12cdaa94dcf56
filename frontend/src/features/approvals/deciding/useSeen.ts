import { useDocumentVisibility } from "@vueuse/core";
import { watch, type Ref } from "vue";
import * as api from "@/api/generated";

const told = new Set<number>();

/** Tell once that a step which waits for oneself stands on the screen: the proof that it reached its approver. */
export function useSeen(step: Ref<{ id: number; seen_at: string | null } | null | undefined>): void {
  const visibility = useDocumentVisibility();
  watch(
    [() => step.value?.id, visibility],
    ([id, now]) => {
      if (!id || now !== "visible" || step.value?.seen_at || told.has(id)) return;
      told.add(id);
      // It is asked again when the next one opens it; what is decided needs no proof that it was seen.
      void api.noteSeen({ path: { step_id: id } }).catch(() => told.delete(id));
    },
    { immediate: true },
  );
}
