import type { Ref } from "vue";

/**
 * Cards beside each other stay as high as they are while the table of one of them is open: only that one grows.
 *
 * `hold` has to hear of the press that opens a table before it opens, `release` of each that was opened or closed.
 */
export function useHeldHeights(grid: Readonly<Ref<HTMLElement | null>>) {
  const cards = () => [...(grid.value?.children ?? [])] as HTMLElement[];
  const isOpen = () => grid.value?.querySelector("details[open]") !== null;
  function hold(event: Event): void {
    if (!grid.value || isOpen() || !(event.target as Element).closest("summary")) return;
    const heights = cards().map((card) => card.getBoundingClientRect().height);
    cards().forEach((card, n) => (card.style.minHeight = `${heights[n]}px`));
    grid.value.style.alignItems = "start";
  }
  function release(): void {
    if (!grid.value || isOpen()) return;
    for (const card of cards()) card.style.minHeight = "";
    grid.value.style.alignItems = "";
  }
  return { hold, release };
}
