import { ref } from "vue";

/** What screen readers are told politely; `LayoutMain` holds the live region. */
export const announcement = ref("");

export function announce(sentence: string): void {
  announcement.value = "";
  requestAnimationFrame(() => (announcement.value = sentence));
}
