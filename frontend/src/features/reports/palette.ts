import { useMutationObserver } from "@vueuse/core";
import { onMounted, ref } from "vue";

/** The colours of the page, for charts, which cannot read style sheets. */
export interface Colours {
  /** Measured before it is drawn, so it has to be named. */
  font: string;
  text: string;
  muted: string;
  border: string;
  surface: string;
  series: string[];
  low: string;
  high: string;
}

function read(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    font: getComputedStyle(document.body).fontFamily,
    text: of("--ui-text"),
    muted: of("--ui-text-muted"),
    border: of("--ui-border"),
    surface: of("--ui-bg"),
    series: ["--ui-primary", "--wp-success", "--wp-warning", "--wp-info", "--wp-approval", "--wp-danger"].map(
      of,
    ),
    low: of("--ui-bg-elevated"),
    high: of("--ui-primary"),
  };
}

/** They follow the theme. */
export function useColours() {
  const colours = ref<Colours>(read());
  const again = () => (colours.value = read());
  onMounted(again);
  useMutationObserver(document.documentElement, again, { attributes: true, attributeFilter: ["class"] });
  return colours;
}
