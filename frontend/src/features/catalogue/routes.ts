import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/ticket-types",
    name: "ticket-types",
    component: () => import("./TypeListView.vue"),
    meta: { title: "catalogue.types", needs: "catalog:configure" },
  },
  {
    path: "settings/ticket-types/:key",
    name: "ticket-type",
    component: () => import("./TypeEditView.vue"),
    meta: { title: "catalogue.type", needs: "catalog:configure" },
  },
  {
    path: "settings/categories",
    name: "categories",
    component: () => import("./CategoriesView.vue"),
    meta: { title: "catalogue.categories.title", needs: "catalog:configure" },
  },
];
export default routes;
