import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings",
    name: "settings",
    component: () => import("./SettingsView.vue"),
    meta: { title: "settings.title" },
  },
];
export default routes;
