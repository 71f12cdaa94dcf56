import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "reports",
    name: "reports",
    component: () => import("./DashboardView.vue"),
    meta: { title: "reports.title", needs: "reports:read" },
  },
  {
    path: "reports/custom",
    name: "custom-reports",
    component: () => import("./custom/ReportsView.vue"),
    meta: { title: "reports.custom.title", needs: "reports:read" },
  },
  {
    path: "reports/custom/:id(\\d+|new)",
    name: "custom-report",
    component: () => import("./custom/ReportView.vue"),
    meta: { title: "reports.custom.title", needs: "reports:read" },
  },
  {
    path: "reports/exports",
    name: "report-exports",
    component: () => import("./exports/ExportsView.vue"),
    meta: { title: "reports.exports.title", needs: "reports:read" },
  },
];
export default routes;
