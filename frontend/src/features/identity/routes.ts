import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/identity-providers",
    name: "identity-providers",
    component: () => import("./ProvidersView.vue"),
    meta: { title: "identity.title", needs: "identity:configure" },
  },
  {
    path: "settings/identity-providers/:id(\\d+)",
    name: "identity-provider",
    component: () => import("./ProviderView.vue"),
    meta: { title: "identity.title", needs: "identity:configure" },
  },
];
export default routes;
