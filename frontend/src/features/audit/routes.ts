import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "audit",
    name: "audit",
    component: () => import("./AuditView.vue"),
    meta: { title: "audit.title", needs: "audit:read" },
  },
];
export default routes;
