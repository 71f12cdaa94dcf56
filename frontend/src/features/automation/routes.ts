import type { RouteRecordRaw } from "vue-router";

const meta = { title: "automation.title", needs: "automation:configure" };
const routes: RouteRecordRaw[] = [
  {
    path: "settings/automation",
    name: "automation",
    component: () => import("./AutomationView.vue"),
    meta,
  },
  {
    path: "settings/automation/:id(\\d+|new)",
    name: "automation-rule",
    component: () => import("./RuleView.vue"),
    meta,
  },
];
export default routes;
