import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "account/data",
    name: "own-data",
    component: () => import("./OwnDataView.vue"),
    meta: { title: "privacy.own.title" },
  },
  {
    path: "settings/personal-data",
    name: "personal-data",
    component: () => import("./ErasuresView.vue"),
    meta: { title: "privacy.erasures.title", needs: "privacy:handle" },
  },
];
export default routes;
