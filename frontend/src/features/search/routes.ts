import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "search",
    name: "search",
    component: () => import("./SearchView.vue"),
    meta: { title: "search.title", needs: "tickets:read" },
  },
];
export default routes;
