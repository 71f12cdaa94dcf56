import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "/login",
    name: "login",
    component: () => import("./LoginView.vue"),
    meta: { open: true, title: "account.login.title" },
  },
  {
    path: "/welcome",
    name: "welcome",
    component: () => import("./WelcomeView.vue"),
    meta: { open: true, title: "account.welcome.title" },
  },
  {
    path: "account/sessions",
    name: "sessions",
    component: () => import("./SessionsView.vue"),
    meta: { title: "account.sessions.title" },
  },
];
export default routes;
