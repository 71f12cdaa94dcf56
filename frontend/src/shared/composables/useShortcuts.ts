import { onScopeDispose, shallowReactive } from "vue";
import { usePreferences } from "@/stores/preferences";

export interface Shortcut {
  /** One key ("j", "Enter"), or two after each other ("g t"). */
  key: string;
  label: string;
  run: () => void;
}

/** The shortcuts in force now, for the help that `?` shows. */
export const shortcuts = shallowReactive(new Set<Shortcut>());
const PATIENCE = 1200; // milliseconds between the two keys of one shortcut
let first = "";
let forget: ReturnType<typeof setTimeout> | undefined;

function isTaken(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === "Enter" && target?.closest("a, button, summary")) return true; // it presses what has the focus
  return !!target?.closest(
    "input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable='true'], [role='dialog'], dialog, [role='menu'], [role='listbox']",
  );
}

function press(event: KeyboardEvent): void {
  if (event.key === "Shift") return;
  const before = first;
  clearTimeout(forget);
  first = "";
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  if (!usePreferences().shortcuts || !isPlain || event.defaultPrevented || isTaken(event)) return;
  const typed = before ? `${before} ${event.key}` : event.key;
  // What a view says goes before what the whole app says.
  const found = [...shortcuts].reverse().find((s) => s.key === typed);
  if (found) {
    event.preventDefault();
    found.run();
  } else if (typed === event.key && [...shortcuts].some((s) => s.key.startsWith(`${typed} `))) {
    first = typed;
    forget = setTimeout(() => (first = ""), PATIENCE);
  }
}

/**
 * Single keys of a view: never while somebody types, never with a modifier, and off when a person wants (WCAG 2.1.4).
 */
export function useShortcuts(list: Shortcut[]): void {
  if (!shortcuts.size) document.addEventListener("keydown", press);
  for (const shortcut of list) shortcuts.add(shortcut);
  onScopeDispose(() => {
    for (const shortcut of list) shortcuts.delete(shortcut);
    if (!shortcuts.size) document.removeEventListener("keydown", press);
  });
}
