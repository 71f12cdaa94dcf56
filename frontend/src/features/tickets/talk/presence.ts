import { useEventListener } from "@vueuse/core";
import { onScopeDispose, ref, shallowReactive, watch, type Ref } from "vue";
import { authorised, data } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";

export type State = api.PresentPerson["state"];
export const ALONE = 8000; // between two beats of somebody alone; the server forgets a screen after 12 s
export const TOGETHER = 3000;
const AWAY = 15_000;
const HIDDEN = 60_000; // a tab nobody looks at for so long has left
const STILL = 120_000; // without a stroke or a move, somebody is there and idle
const TYPED = 5000;
const LEAST = 1500;

/** When somebody wrote last on this screen, by ticket: told by what they write in. */
const typed = shallowReactive(new Map<number, { at: number; isInternal: boolean }>());
export function noteTyping(ticketId: number, isInternal: boolean): void {
  typed.set(ticketId, { at: Date.now(), isInternal });
}

/** A word for this screen, of letters and digits only. */
export function screenName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => (b % 36).toString(36)).join("");
}

/** What one does on a screen, from what happened on it last. Pure. */
export function stateOf(at: number, typedAt: number, movedAt: number, isHidden: boolean): State {
  if (isHidden || at - movedAt > STILL) return "IDLE";
  return at - typedAt < TYPED ? "TYPING" : "VIEWING";
}

/** Who else has this ticket open. Says that one has it open oneself, as long as this part lives. */
export function usePresence(ticketId: Ref<number>): Ref<api.PresentPerson[]> {
  const people = ref<api.PresentPerson[]>([]);
  const screen = screenName();
  let moved = Date.now();
  let last = 0;
  let timer: number | undefined;
  let hidden: number | undefined;
  let isGone = false;

  async function beat(): Promise<void> {
    clearTimeout(timer);
    if (isGone) return;
    const id = ticketId.value;
    const now = (last = Date.now());
    const writing = typed.get(id);
    const state = stateOf(now, writing?.at ?? 0, moved, document.visibilityState === "hidden");
    let next = ALONE;
    try {
      const answer = await data(
        api.beat({
          path: { ticket_id: id },
          body: { screen, state, is_internal: state === "TYPING" && !!writing?.isInternal },
        }),
      );
      if (id !== ticketId.value || isGone) return;
      people.value = answer.items;
      next = answer.items.length ? TOGETHER : ALONE;
    } catch (error) {
      people.value = []; // who is here is not known now; nothing else depends on it
      const { status } = asProblem(error);
      if (status === 404 || status === 403) return;
      next = AWAY;
    }
    clearTimeout(timer);
    timer = window.setTimeout(() => void beat(), next);
  }

  function leave(id: number): void {
    clearTimeout(timer);
    people.value = [];
    void authorised(`/api/v1/tickets/${id}/presence?screen=${screen}`, {
      method: "DELETE",
      keepalive: true,
    }).catch(() => undefined); // then it is forgotten in a few seconds
  }
  function come(): void {
    isGone = false;
    moved = Date.now();
    void beat();
  }

  watch(
    ticketId,
    (id, before) => {
      if (before) leave(before);
      if (id) come();
    },
    { immediate: true },
  );
  watch(
    () => typed.get(ticketId.value),
    () => {
      moved = Date.now();
      if (Date.now() - last > LEAST && !isGone) void beat();
    },
  );
  const move = () => {
    const wasStill = Date.now() - moved > STILL;
    moved = Date.now();
    if (wasStill && !isGone) void beat();
  };
  useEventListener(document, ["pointermove", "pointerdown", "keydown", "scroll"], move, { passive: true });
  useEventListener(document, "visibilitychange", () => {
    clearTimeout(hidden);
    if (document.visibilityState === "visible") come();
    else {
      void beat();
      hidden = window.setTimeout(() => {
        isGone = true;
        leave(ticketId.value);
      }, HIDDEN);
    }
  });
  useEventListener(window, "pagehide", () => leave(ticketId.value));
  useEventListener(window, "pageshow", (event) => event.persisted && come());
  onScopeDispose(() => {
    isGone = true;
    clearTimeout(hidden);
    leave(ticketId.value);
  });
  return people;
}
