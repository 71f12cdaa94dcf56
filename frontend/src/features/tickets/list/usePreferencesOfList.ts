import { useStorage } from "@vueuse/core";
import { computed } from "vue";
import { useSession } from "@/stores/session";

export const DENSITIES = ["compact", "cosy", "comfortable"] as const;
export type Density = (typeof DENSITIES)[number];
export const ROW: Record<Density, number> = { compact: 28, cosy: 40, comfortable: 48 };

/** How somebody likes their lists, on this device. */
export function useListPreferences() {
  const session = useSession();
  const kept = useStorage(
    `waypost.list.${session.user?.id ?? 0}`,
    {
      density: "cosy" as Density,
      columns: [] as string[],
      widths: {} as Record<string, number>,
      preview: 440,
    },
    localStorage,
    { mergeDefaults: true },
  );
  const density = computed<Density>({
    get: () => (DENSITIES.includes(kept.value.density) ? kept.value.density : "cosy"),
    set: (value) => (kept.value = { ...kept.value, density: value }),
  });
  const columns = computed<string[]>({
    get: () => kept.value.columns,
    set: (value) => (kept.value = { ...kept.value, columns: value }),
  });
  const widths = computed<Record<string, number>>({
    get: () => kept.value.widths,
    set: (value) => (kept.value = { ...kept.value, widths: value }),
  });
  const preview = computed<number>({
    get: () => Math.max(320, Math.min(900, kept.value.preview)),
    set: (value) => (kept.value = { ...kept.value, preview: value }),
  });
  return { density, columns, widths, preview };
}
