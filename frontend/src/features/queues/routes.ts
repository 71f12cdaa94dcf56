import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "queues",
    name: "queues",
    component: () => import("./QueuesView.vue"),
    meta: { title: "queues.title", needs: "tickets:work" },
  },
];
export default routes;
