import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import type { UseCommands } from "@/shared/lib/commands";
import { usePreferences } from "@/stores/preferences";

/** What is about oneself: sessions, and how the screen looks. */
export const useCommands: UseCommands = () => {
  const { t } = useI18n();
  const router = useRouter();
  const preferences = usePreferences();
  return {
    commands: () => [
      {
        id: "account:security",
        group: "pages",
        label: t("account.security.title"),
        icon: "i-lucide-shield-check",
        run: () => void router.push("/account/security"),
      },
      {
        id: "account:sessions",
        group: "pages",
        label: t("account.sessions.title"),
        icon: "i-lucide-monitor-smartphone",
        run: () => void router.push("/account/sessions"),
      },
      {
        id: "account:tokens",
        group: "pages",
        label: t("account.tokens.title"),
        icon: "i-lucide-key-round",
        run: () => void router.push("/account/tokens"),
      },
      {
        id: "account:notifications",
        group: "pages",
        label: t("notifications.prefs.title"),
        icon: "i-lucide-bell-ring",
        run: () => void router.push("/account/notifications"),
      },
      ...(["light", "dark", "system"] as const).map((theme) => ({
        id: `theme:${theme}`,
        group: "pages" as const,
        label: t("palette.theme", { theme: t(`theme.${theme}`) }),
        icon: { light: "i-lucide-sun", dark: "i-lucide-moon", system: "i-lucide-monitor" }[theme],
        run: () => void (preferences.theme = theme),
      })),
    ],
  };
};
