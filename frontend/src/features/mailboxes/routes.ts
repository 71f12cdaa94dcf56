import type { RouteRecordRaw } from "vue-router";

const routes: RouteRecordRaw[] = [
  {
    path: "settings/mailboxes",
    name: "mailboxes",
    component: () => import("./MailboxesView.vue"),
    meta: { title: "mailboxes.title", needs: "notifications:configure" },
  },
  {
    path: "settings/quarantine",
    name: "incoming-mails",
    component: () => import("./ArrivalsView.vue"),
    meta: { title: "mailboxes.mails.title", needs: "notifications:configure" },
  },
];
export default routes;
