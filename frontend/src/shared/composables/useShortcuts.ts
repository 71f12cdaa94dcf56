import { onKeyStroke } from "@vueuse/core";
import { onScopeDispose, shallowReactive } from "vue";
import { usePreferences } from "@/stores/preferences";

export interface Shortcut {
  key: string;
  label: string;
  run: () => void;
}

/** The shortcuts in force now, for the help that `?` shows. */
export const shortcuts = shallowReactive(new Set<Shortcut>());

function isTaken(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === "Enter" && target?.closest("a, button, summary")) return true; // it presses what has the focus
  return !!target?.closest(
    "input, textarea, select, [contenteditable='true'], [role='dialog'], [role='menu'], [role='listbox']",
  );
}

/** Single keys of a view: never while somebody types, never with a modifier, and off when a person wants (WCAG 2.1.4). */
export function useShortcuts(list: Shortcut[]): void {
  const preferences = usePreferences();
  for (const shortcut of list) shortcuts.add(shortcut);
  onScopeDispose(() => list.forEach((s) => shortcuts.delete(s)));
  onKeyStroke((event) => {
    if (!preferences.shortcuts || event.ctrlKey || event.metaKey || event.altKey || isTaken(event)) return;
    const found = list.find((s) => s.key === event.key);
    if (found) {
      event.preventDefault();
      found.run();
    }
  });
}
