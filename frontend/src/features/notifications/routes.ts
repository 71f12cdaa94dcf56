import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "account/notifications",
    name: "notification-preferences",
    component: () => import("./preferences/PreferencesView.vue"),
    meta: { title: "notifications.prefs.title", needs: "notifications:read" },
  },
  {
    path: "settings/notifications",
    name: "notification-defaults",
    component: () => import("./preferences/DefaultsView.vue"),
    meta: { title: "notifications.defaults.title", needs: "notifications:configure" },
  },
  {
    path: "settings/templates",
    name: "notification-templates",
    component: () => import("./templates/TemplateListView.vue"),
    meta: { title: "notifications.templates.title", needs: "notifications:configure" },
  },
  {
    path: "settings/templates/:key",
    name: "notification-template",
    component: () => import("./templates/TemplateEditView.vue"),
    meta: { title: "notifications.templates.title", needs: "notifications:configure" },
  },
  {
    path: "settings/channels",
    name: "notification-channels",
    component: () => import("./channels/ChannelsView.vue"),
    meta: { title: "notifications.channels.title", needs: "notifications:configure" },
  },
  {
    path: "settings/deliveries",
    name: "notification-deliveries",
    component: () => import("./channels/DeliveriesView.vue"),
    meta: { title: "notifications.log.title", needs: "notifications:read_deliveries" },
  },
];
export default routes;
