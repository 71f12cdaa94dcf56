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
    path: "/forgot",
    name: "forgot",
    component: () => import("./ForgotView.vue"),
    meta: { open: true, title: "account.forgot.title" },
  },
  {
    path: "/reset",
    name: "reset",
    component: () => import("./WelcomeView.vue"),
    meta: { open: true, title: "account.reset.title" },
  },
  {
    path: "/not-me",
    name: "not-me",
    component: () => import("./NotMeView.vue"),
    meta: { open: true, title: "account.notMe.title" },
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
    path: "account/tokens",
    name: "tokens",
    component: () => import("./TokensView.vue"),
    meta: { title: "account.tokens.title", needs: "tokens:own" },
  },
  {
    path: "settings/service-accounts",
    name: "service-accounts",
    component: () => import("./ServiceAccountsView.vue"),
    meta: { title: "account.service.title", needs: "tokens:configure" },
  },
  {
    path: "settings/api-tokens",
    name: "all-tokens",
    component: () => import("./AllTokensView.vue"),
    meta: { title: "account.tokens.allTitle", needs: "tokens:configure" },
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
