import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "tickets",
    name: "tickets",
    component: () => import("./TicketListView.vue"),
    meta: { title: "nav.tickets" },
  },
  {
    path: "tickets/:id(\\d+)",
    name: "ticket",
    component: () => import("./TicketDetailView.vue"),
    meta: { title: "tickets.ticket" },
  },
  {
    path: "my-requests",
    name: "my-requests",
    component: () => import("./MyRequestsView.vue"),
    meta: { title: "nav.mine", needs: "tickets:create" },
  },
  {
    path: "new/:type?",
    name: "new",
    component: () => import("./TicketCreateView.vue"),
    meta: { title: "nav.new", needs: "tickets:create" },
  },
  {
    path: "settings/canned-replies",
    name: "canned-replies",
    component: () => import("./canned/CannedRepliesView.vue"),
    meta: { title: "tickets.canned.heading", needs: "tickets:comment_internal" },
  },
];
export default routes;
