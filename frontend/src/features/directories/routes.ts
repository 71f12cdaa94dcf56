import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/identity-providers/:id(\\d+)/runs",
    name: "directory-runs",
    component: () => import("./RunsView.vue"),
    meta: { title: "directories.history", needs: "identity:configure" },
  },
  {
    path: "settings/identity-providers/:id(\\d+)/runs/:run(\\d+)",
    name: "directory-run",
    component: () => import("./RunView.vue"),
    meta: { title: "directories.look", needs: "identity:configure" },
  },
];
export default routes;
