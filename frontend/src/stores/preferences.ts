import { usePreferredDark, useStorage } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, watch } from "vue";

export type Theme = "light" | "dark" | "system";

/** What a person prefers on this device. `public/theme.js` reads the same key before the first paint. */
export const usePreferences = defineStore("preferences", () => {
  const kept = useStorage(
    "waypost.preferences",
    { theme: "system" as Theme, shortcuts: true },
    localStorage,
    {
      mergeDefaults: true,
    },
  );
  const systemDark = usePreferredDark();
  const isDark = computed(
    () => kept.value.theme === "dark" || (kept.value.theme === "system" && systemDark.value),
  );
  watch(isDark, (dark) => document.documentElement.classList.toggle("dark", dark), { immediate: true });

  const theme = computed({ get: () => kept.value.theme, set: (value) => (kept.value.theme = value) });
  const shortcuts = computed({ get: () => kept.value.shortcuts, set: (on) => (kept.value.shortcuts = on) });
  return { theme, shortcuts, isDark };
});
