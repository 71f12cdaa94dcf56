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
    path: "/protect",
    name: "protect",
    component: () => import("./ProtectView.vue"),
    meta: { open: true, title: "account.protect.title" },
  },
  {
    path: "account/security",
    name: "security",
    component: () => import("./SecurityView.vue"),
    meta: { title: "account.security.title" },
  },
  {
    path: "settings/sign-in",
    name: "sign-in-rules",
    component: () => import("./SignInRulesView.vue"),
    meta: { title: "account.rules.title", needs: "roles:configure" },
  },
  {
    path: "account/sessions",
    name: "sessions",
    component: () => import("./SessionsView.vue"),
    meta: { title: "account.sessions.title" },
  },
];
export default routes;
