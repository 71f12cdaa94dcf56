import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import type { UseCommands } from "@/shared/lib/commands";
import { useSession } from "@/stores/session";
import { places } from "./places";

/** The palette's way to every screen for setting things up. */
export const useCommands: UseCommands = () => {
  const { t } = useI18n();
  const router = useRouter();
  const session = useSession();
  return {
    commands: () =>
      places
        .filter((place) => session.can(place.needs))
        .map((place) => ({
          id: `setting:${place.key}`,
          group: "pages",
          label: t(`settings.place.${place.key}.title`),
          hint: t("settings.title"),
          words: `${t("settings.title")} ${t(`settings.place.${place.key}.text`)}`,
          icon: place.icon,
          run: () => void router.push(place.to),
        })),
  };
};
