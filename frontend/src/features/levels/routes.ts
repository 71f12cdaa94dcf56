import type { RouteRecordRaw } from "vue-router";

const meta = { title: "levels.title", needs: "sla:read" };
const routes: RouteRecordRaw[] = [
  {
    path: "settings/service-levels",
    name: "levels",
    component: () => import("./ServiceLevelsView.vue"),
    meta,
  },
  {
    path: "settings/service-levels/calendars/:id(\\d+|new)",
    name: "levels-calendar",
    component: () => import("./CalendarView.vue"),
    meta: { ...meta, title: "levels.calendar.title" },
  },
  {
    path: "settings/service-levels/policies/:id(\\d+|new)",
    name: "levels-policy",
    component: () => import("./PolicyView.vue"),
    meta: { ...meta, title: "levels.policy.title" },
  },
];
export default routes;
