import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "audit",
    name: "audit",
    component: () => import("./AuditView.vue"),
    meta: { title: "audit.title", needs: "audit:read" },
  },
  {
    path: "settings/audit-streams",
    name: "audit-streams",
    component: () => import("./streams/StreamsView.vue"),
    meta: { title: "audit.streams.title", needs: "audit:configure" },
  },
  {
    path: "settings/audit-retention",
    name: "audit-retention",
    component: () => import("./retention/RetentionView.vue"),
    meta: { title: "audit.retention.title", needs: "audit:configure" },
  },
];
export default routes;
