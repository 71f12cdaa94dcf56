import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/people",
    name: "people",
    component: () => import("./PeopleView.vue"),
    meta: { title: "people.title", needs: "directory:configure" },
  },
  {
    path: "settings/people/import/:id(\\d+)?",
    name: "people-import",
    component: () => import("./importing/PeopleImportView.vue"),
    meta: { title: "people.import.title", needs: "directory:configure" },
  },
  {
    path: "settings/people/:id(\\d+)",
    name: "person",
    component: () => import("./PersonView.vue"),
    meta: { title: "people.one", needs: "directory:configure" },
  },
];
export default routes;
