import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { Answer } from "@/api/generated";
import { isSealed } from "./formModel";

const SHOWN_FOR = 120_000; // then they are hidden again: whoever went away left them on the screen

/**
 * Answers with the hidden ones in the clear, once somebody asked for them. What was told stays in this page only: no cache
 * has it, so none is kept on the device.
 */
export function useHidden(ticketId: Ref<number>, answers: Ref<Answer[]>) {
  const told = shallowRef<Map<string, Answer> | null>(null);
  const isAsking = ref(false);
  const error = shallowRef<unknown>(null);
  let timer: number | undefined;
  const hasHidden = computed(() => answers.value.some((answer) => isSealed(answer.value)));
  const shown = computed(() =>
    answers.value.map((answer) =>
      isSealed(answer.value) ? (told.value?.get(answer.key) ?? answer) : answer,
    ),
  );

  function hide(): void {
    clearTimeout(timer);
    told.value = null;
  }
  async function show(): Promise<void> {
    isAsking.value = true;
    error.value = null;
    const asked = ticketId.value;
    try {
      const found = await data(api.revealSensitiveAnswers({ path: { ticket_id: asked } }));
      if (asked !== ticketId.value) return;
      told.value = new Map(found.items.map((answer) => [answer.key, answer]));
      clearTimeout(timer);
      timer = window.setTimeout(hide, SHOWN_FOR);
    } catch (problem) {
      error.value = problem;
    } finally {
      isAsking.value = false;
    }
  }
  // another request, or another answer: what was told is not of it
  watch(
    [ticketId, () => JSON.stringify(answers.value.map(({ value }) => (isSealed(value) ? value : null)))],
    hide,
  );
  onScopeDispose(hide);
  return { shown, hasHidden, isShown: computed(() => told.value !== null), isAsking, error, show, hide };
}
