import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/routing",
    name: "routing",
    component: () => import("./RoutingView.vue"),
    meta: { title: "routing.title", needs: "routing:configure" },
  },
];
export default routes;
