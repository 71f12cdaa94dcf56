import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "approvals/away",
    name: "away",
    component: () => import("./AwayView.vue"),
    meta: { title: "away.title", needs: "approvals:decide" },
  },
];
export default routes;
