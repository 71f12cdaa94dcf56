import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "approvals",
    name: "approvals",
    component: () => import("./ApprovalQueueView.vue"),
    meta: { title: "nav.approvals", needs: "approvals:decide" },
  },
  {
    path: "approvals/reviews",
    name: "approval-reviews",
    component: () => import("./reviews/ReviewsView.vue"),
    meta: { title: "approvals.reviews.title", needs: "tickets:read" },
  },
  {
    path: "/decide/:token",
    name: "decide",
    component: () => import("./link/LinkView.vue"),
    meta: { open: true, title: "approvals.link.page" },
  },
];
export default routes;
