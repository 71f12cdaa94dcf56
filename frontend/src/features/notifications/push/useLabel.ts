import { useI18n } from "vue-i18n";
import { deviceOf } from "@/shared/lib/device";

/** What this browser is called in one's list. */
export function useLabel(): () => string {
  const { t } = useI18n();
  return () => {
    const { browser, system } = deviceOf(navigator.userAgent);
    if (browser && system) return t("notifications.push.device", { browser, system });
    return browser ?? system ?? t("notifications.push.unknown");
  };
}
