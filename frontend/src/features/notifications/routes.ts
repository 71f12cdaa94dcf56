import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "account/notifications",
    name: "notification-preferences",
    component: () => import("./preferences/PreferencesView.vue"),
    meta: { title: "notifications.prefs.title", needs: "notifications:read" },
  },
  {
    path: "settings/notifications",
    name: "notification-defaults",
    component: () => import("./preferences/DefaultsView.vue"),
    meta: { title: "notifications.defaults.title", needs: "notifications:configure" },
  },
];
export default routes;
