import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import type { UseCommands } from "@/shared/lib/commands";
import { useSession } from "@/stores/session";

/** The palette's way to the reviews of broken glass. */
export const useCommands: UseCommands = () => {
  const { t } = useI18n();
  const router = useRouter();
  const session = useSession();
  return {
    commands: () =>
      session.can("approvals:decide") || session.can("audit:read")
        ? [
            {
              id: "approval-reviews",
              group: "pages",
              label: t("approvals.reviews.title"),
              hint: t("nav.approvals"),
              words: t("approvals.reviews.text"),
              icon: "i-lucide-scan-eye",
              run: () => void router.push("/approvals/reviews"),
            },
          ]
        : [],
  };
};
