import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";

const KEY = ["notification-preferences"] as const;
const DEFAULTS = ["notification-defaults"] as const;

export function usePreferencesRead() {
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => data(api.notificationPreferences({ signal })),
  });
}

export function useSavePreferences() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: api.PreferencesUpdate) => data(api.updateNotificationPreferences({ body })),
    onSuccess: (read) => queries.setQueryData(KEY, read),
  });
}

export function useCompanyDefaults() {
  return useQuery({
    queryKey: DEFAULTS,
    queryFn: ({ signal }) => data(api.notificationDefaults({ signal })),
  });
}

export function useRoleDefaults(roleId: Ref<number>) {
  return useQuery({
    queryKey: [...DEFAULTS, roleId],
    queryFn: ({ signal }) => data(api.roleNotificationDefaults({ path: { role_id: roleId.value }, signal })),
    enabled: () => roleId.value > 0,
  });
}

export function useSaveDefaults() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ roleId, company, role }: SaveDefaults): Promise<unknown> =>
      roleId
        ? data(api.updateRoleNotificationDefaults({ path: { role_id: roleId }, body: role }))
        : data(api.updateNotificationDefaults({ body: company })),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: DEFAULTS }),
        queries.invalidateQueries({ queryKey: KEY }),
      ]),
  });
}

export interface SaveDefaults {
  /** 0 is the company. */
  roleId: number;
  company: api.CompanyUpdate;
  role: api.RoleUpdate;
}
