import { computed } from "vue";
import { useI18n } from "vue-i18n";
import { useApprovalCount } from "@/features/approvals";
import { useSession } from "@/stores/session";

/** The places one can go to, for the side and the bottom navigation. */
export function useNavigation() {
  const { t } = useI18n();
  const session = useSession();
  const waiting = useApprovalCount();
  return computed(() =>
    [
      { to: "/", label: t("nav.dashboard"), icon: "i-lucide-layout-dashboard", shown: true, badge: 0 },
      {
        to: "/tickets",
        label: t("nav.tickets"),
        icon: "i-lucide-inbox",
        shown: session.can("tickets:read"),
        badge: 0,
      },
      {
        to: "/approvals",
        label: t("nav.approvals"),
        icon: "i-lucide-stamp",
        shown: session.can("approvals:decide"),
        badge: waiting.value,
      },
      {
        to: "/new",
        label: t("nav.newShort"),
        icon: "i-lucide-plus",
        shown: session.can("tickets:create"),
        badge: 0,
      },
    ].filter((place) => place.shown),
  );
}
