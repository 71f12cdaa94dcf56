import { ref } from "vue";

/** Whether the command palette is open; whoever has a button for it opens it. */
export const isPaletteOpen = ref(false);

const isApple = /mac|iphone|ipad/i.test(globalThis.navigator?.platform ?? "");
/** How its keys are called on this machine. */
export const paletteKeys = isApple ? "⌘K" : "Ctrl K";
