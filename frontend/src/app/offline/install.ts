import { shallowRef } from "vue";

interface InstallEvent extends Event {
  prompt(): Promise<void>;
  userChoice: Promise<{ outcome: "accepted" | "dismissed" }>;
}

const offered = shallowRef<InstallEvent | null>(null);

/** The browser would install the app: it does not say so by itself, one finds it in one's own menu. */
export function offerInstall(): void {
  window.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offered.value = event as InstallEvent;
  });
  window.addEventListener("appinstalled", () => (offered.value = null));
}

export function useInstall() {
  async function install(): Promise<void> {
    const event = offered.value;
    offered.value = null; // it can be asked once
    await event?.prompt();
  }
  return { offered, install };
}
