import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import type { UseCommands } from "@/shared/lib/commands";
import { useSession } from "@/stores/session";

/** The palette's way to who decides while one is away. */
export const useCommands: UseCommands = () => {
  const { t } = useI18n();
  const router = useRouter();
  const session = useSession();
  return {
    commands: () =>
      session.can("approvals:decide")
        ? [
            {
              id: "away",
              group: "pages",
              label: t("away.title"),
              hint: t("nav.approvals"),
              words: t("away.text"),
              icon: "i-lucide-user-round-check",
              run: () => void router.push("/approvals/away"),
            },
          ]
        : [],
  };
};
