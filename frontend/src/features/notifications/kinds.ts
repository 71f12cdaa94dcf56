import { useI18n } from "vue-i18n";
import { wordOf } from "./preferences/model";

/** Kinds and events by the names people know them by; what we have no name for yet keeps its own. */
export function useKinds() {
  const { t, te } = useI18n();
  return {
    nameOf: (kind: string): string => {
      const key = `notifications.kind.${wordOf(kind)}`;
      return te(key) ? t(key) : kind;
    },
    eventOf: (word: string): string => {
      const key = `notifications.event.${word}.name`;
      return te(key) ? t(key) : word;
    },
  };
}
