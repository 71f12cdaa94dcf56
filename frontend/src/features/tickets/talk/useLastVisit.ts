import { useStorage } from "@vueuse/core";
import { onScopeDispose, ref, watch, type Ref } from "vue";
import { useSession } from "@/stores/session";

const MOST = 300;
const SAME = 10_000; // from one part of the page to the other is one visit
let visit: { ticket: number; before: number | null; left: number } | null = null;

/** When one looked at this ticket last on this device, before now, in milliseconds; null at the first visit. */
export function useLastVisit(ticketId: Ref<number>): Ref<number | null> {
  const session = useSession();
  const visits = useStorage<Record<string, number>>(
    `waypost.visits.${session.user?.id ?? 0}`,
    {},
    localStorage,
  );
  const before = ref<number | null>(null);
  function leave(id: number): void {
    const others = Object.entries(visits.value).filter(([key]) => key !== String(id));
    others.sort(([, a], [, b]) => b - a);
    visits.value = { ...Object.fromEntries(others.slice(0, MOST - 1)), [id]: Date.now() };
    if (visit?.ticket === id) visit.left = Date.now();
  }
  watch(
    ticketId,
    (id, last) => {
      if (last) leave(last);
      if (visit?.ticket !== id || Date.now() - visit.left > SAME)
        visit = { ticket: id, before: visits.value[id] ?? null, left: Date.now() };
      before.value = visit.before;
      leave(id); // a crash is a visit too
    },
    { immediate: true },
  );
  onScopeDispose(() => leave(ticketId.value));
  return before;
}
