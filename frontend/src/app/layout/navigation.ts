import { computed } from "vue";
import { useI18n } from "vue-i18n";
import { useApprovalCount } from "@/features/approvals";
import { places as settings } from "@/features/settings";
import { useSession } from "@/stores/session";

interface Place {
  to: string;
  label: string;
  /** Where there is little room. */
  short?: string;
  icon: string;
  shown: boolean;
  /** Left out where there is room for five places only. */
  spare?: boolean;
  /** Only in the side bar; where there is none, the page before leads there. */
  aside?: boolean;
  badge?: number;
}

/** The places one can go to, for the side and the bottom navigation. */
export function useNavigation() {
  const { t } = useI18n();
  const session = useSession();
  const waiting = useApprovalCount();
  return computed(() => {
    const places: Place[] = [
      {
        to: "/",
        label: t("nav.dashboard"),
        short: t("nav.dashboardShort"),
        icon: "i-lucide-layout-dashboard",
        shown: true,
      },
      {
        to: "/tickets",
        label: t("nav.tickets"),
        icon: "i-lucide-inbox",
        shown: session.can("tickets:read"),
      },
      {
        to: "/queues",
        label: t("queues.title"),
        icon: "i-lucide-layers",
        shown: session.can("tickets:work"),
      },
      {
        to: "/my-requests",
        label: t("nav.mine"),
        short: t("nav.mineShort"),
        icon: "i-lucide-hourglass",
        shown: session.can("tickets:create"),
        spare: true,
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
        label: t("nav.new"),
        short: t("nav.newShort"),
        icon: "i-lucide-plus",
        shown: session.can("tickets:create"),
      },
      {
        to: "/reports",
        label: t("reports.title"),
        icon: "i-lucide-chart-no-axes-column",
        shown: session.can("reports:read"),
        aside: true,
      },
      {
        to: "/settings",
        label: t("settings.title"),
        icon: "i-lucide-settings",
        shown: settings.some((place) => session.can(place.needs)),
      },
    ];
    return places.filter((place) => place.shown);
  });
}
