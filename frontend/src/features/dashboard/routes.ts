import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "",
    name: "dashboard",
    component: () => import("./DashboardView.vue"),
    meta: { title: "nav.dashboard" },
  },
];
export default routes;
