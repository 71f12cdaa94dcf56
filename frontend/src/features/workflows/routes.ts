import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/workflows",
    name: "workflows",
    component: () => import("./WorkflowListView.vue"),
    meta: { title: "workflows.title", needs: "approvals:read_definitions" },
  },
  {
    path: "settings/workflows/:id",
    name: "workflow",
    component: () => import("./WorkflowView.vue"),
    meta: { title: "workflows.one", needs: "approvals:read_definitions" },
  },
];
export default routes;
