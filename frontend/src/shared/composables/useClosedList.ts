import { useTemplateRef } from "vue";

const GONE = 250; // milliseconds until a list that closed has faded, and its options with it

/**
 * A list that has closed leaves its field pointing at an option that is no more (`aria-activedescendant`). The answer
 * takes that away when it is told that the menu (`ref="menu"`) has closed, unless it is open again.
 */
export function useClosedList(): (isOpen: boolean) => void {
  const menu = useTemplateRef<{ inputRef: HTMLInputElement | null } | null>("menu");
  return (isOpen) => {
    if (isOpen) return;
    setTimeout(() => {
      const input = menu.value?.inputRef;
      if (input?.getAttribute("aria-expanded") === "false") input.removeAttribute("aria-activedescendant");
    }, GONE);
  };
}
