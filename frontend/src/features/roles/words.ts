import { useI18n } from "vue-i18n";
import type { Scope } from "./model";

/** What permissions, rooms and scopes are called. A word this screen does not know yet stands for itself. */
export function useRoleWords() {
  const { t, te } = useI18n();
  const known = (key: string, otherwise: string) => (te(key) ? t(key) : otherwise);
  return {
    room: (room: string) => known(`roles.room.${room}`, room),
    permission: (word: string) => known(`roles.word.${word.replace(":", ".")}`, word),
    /** A scope, as said in a sentence; of a permission that is only had or not it is “yes”. */
    scope: (scope: Scope | null, isPlain = false) =>
      scope === null ? t("roles.scope.NONE") : isPlain ? t("roles.scope.YES") : t(`roles.scope.${scope}`),
    scopeText: (scope: Scope | null, isPlain = false) =>
      scope === null
        ? t("roles.scopeText.NONE")
        : isPlain
          ? t("roles.scopeText.YES")
          : t(`roles.scopeText.${scope}`),
  };
}
