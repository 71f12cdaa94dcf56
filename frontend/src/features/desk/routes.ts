import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/import/:id(\\d+)?",
    name: "import",
    component: () => import("./importing/ImportView.vue"),
    meta: { title: "desk.import.title", needs: "tickets:import" },
  },
];
export default routes;
