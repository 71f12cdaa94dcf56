import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/roles",
    name: "roles",
    component: () => import("./RolesView.vue"),
    meta: { title: "roles.title", needs: "roles:read" },
  },
  {
    path: "settings/roles/:id(\\d+)",
    name: "role",
    component: () => import("./RoleView.vue"),
    meta: { title: "roles.one", needs: "roles:read" },
  },
  {
    path: "settings/access",
    name: "access",
    component: () => import("./AccessView.vue"),
    meta: { title: "roles.access.title", needs: "roles:read" },
  },
];
export default routes;
