import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "approvals",
    name: "approvals",
    component: () => import("./ApprovalQueueView.vue"),
    meta: { title: "nav.approvals", needs: "approvals:decide" },
  },
];
export default routes;
