import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/provisioning",
    name: "provisioning",
    component: () => import("./ProvisioningListView.vue"),
    meta: { title: "provisioning.title", needs: "identity:configure" },
  },
  {
    path: "settings/provisioning/:providerId(\\d+)",
    name: "provisioning-provider",
    component: () => import("./ProvisioningView.vue"),
    props: (route) => ({ providerId: Number(route.params.providerId) }),
    meta: { title: "provisioning.title", needs: "identity:configure" },
  },
];
export default routes;
