import { useOnline } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { useSession } from "./session";

/** Whether the server can be heard: `offline` at once, `reconnecting` only when a break lasts (see `app/live.ts`). */
export const useConnection = defineStore("connection", () => {
  const online = useOnline();
  const session = useSession();
  const isReconnecting = ref(false);
  const state = computed(() =>
    !online.value || session.isKept ? "offline" : isReconnecting.value ? "reconnecting" : "connected",
  );
  return { online, isReconnecting, state };
});
