import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/teams",
    name: "teams",
    component: () => import("./TeamsView.vue"),
    meta: { title: "directory.teams.title", needs: "directory:configure" },
  },
  {
    path: "settings/departments",
    name: "departments",
    component: () => import("./DepartmentsView.vue"),
    meta: { title: "directory.departments.title", needs: "directory:configure" },
  },
  {
    path: "settings/absences",
    name: "absences",
    component: () => import("./AbsencesView.vue"),
    meta: { title: "directory.absences.title", needs: "absences:set" },
  },
];
export default routes;
