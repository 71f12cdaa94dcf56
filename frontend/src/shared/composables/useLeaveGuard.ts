import { useEventListener } from "@vueuse/core";
import { ref, watch } from "vue";
import { onBeforeRouteLeave, onBeforeRouteUpdate, type RouteLocationNormalized } from "vue-router";
import { useSession } from "@/stores/session";

/**
 * Asks before one goes to another page while `isBusy`, and before the browser leaves while anything `isHeld` would be
 * lost. `isAsking` opens the question, `answer` is what the person says to it.
 */
export function useLeaveGuard(isBusy: () => boolean, isHeld: () => boolean = isBusy) {
  const session = useSession();
  const isAsking = ref(false);
  let settle: (leave: boolean) => void = () => undefined;

  function answer(leave: boolean): void {
    isAsking.value = false;
    settle(leave);
  }
  function ask(to: RouteLocationNormalized, from: RouteLocationNormalized): true | Promise<boolean> {
    if (!isBusy() || to.path === from.path || !session.user) return true;
    settle(false);
    isAsking.value = true;
    return new Promise((resolve) => (settle = resolve));
  }
  onBeforeRouteLeave(ask);
  onBeforeRouteUpdate(ask);
  watch(isBusy, (busy) => !busy && isAsking.value && answer(true));
  useEventListener(window, "beforeunload", (event) => isHeld() && event.preventDefault());
  return { isAsking, answer };
}
