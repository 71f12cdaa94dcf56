import { useQuery } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import type { Days, Kind } from "./model";

/** One dashboard. Begun with "dashboard", so that it follows what happens (`features/dashboard/live.ts`). */
export function useDashboard(kind: Ref<Kind | undefined>, days: Ref<Days>) {
  return useQuery({
    queryKey: computed(() => ["dashboard", "board", kind.value, days.value]),
    queryFn: ({ signal }) =>
      data(
        api.dashboardRead({ path: { kind: kind.value ?? "EMPLOYEE" }, query: { days: days.value }, signal }),
      ),
    enabled: () => kind.value !== undefined,
    placeholderData: (before) => before,
  });
}

/** The dashboards one may open, the one made for oneself first. */
export function useKinds() {
  return useQuery({
    queryKey: ["reports", "kinds"],
    queryFn: ({ signal }) => data(api.dashboardKinds({ signal })),
    staleTime: 60_000,
  });
}
