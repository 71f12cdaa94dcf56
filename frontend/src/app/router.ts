import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import { useSession } from "@/stores/session";
import { findWhoIsHere } from "./offline";
import { queryClient } from "./query";

declare module "vue-router" {
  interface RouteMeta {
    /** Reachable without being signed in, outside the main layout. */
    open?: boolean;
    /** The key of the page's title. */
    title?: string;
    /** The permission the page needs; without it one reads why there is nothing to see. */
    needs?: string;
  }
}

const collected = Object.values(
  import.meta.glob<RouteRecordRaw[]>("../features/*/routes.ts", { eager: true, import: "default" }),
).flat();

// Whoever stands at the door does not wait for what lies behind it; it comes while they type.
const LayoutMain = () => import("./layout/LayoutMain.vue");

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...collected.filter((r) => r.meta?.open),
    {
      path: "/",
      component: LayoutMain,
      children: [
        ...collected.filter((r) => !r.meta?.open),
        {
          path: ":rest(.*)*",
          name: "missing",
          component: () => import("./MissingView.vue"),
          meta: { title: "problem.missing" },
        },
      ],
    },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
});

router.beforeEach(async (to) => {
  const session = useSession();
  if (!session.user) await (to.meta.open ? session.restore() : findWhoIsHere(queryClient));
  if (!session.user && !to.meta.open) return { name: "login", query: { next: to.fullPath } };
  if (session.user && to.name === "login") return "/";
  if (to.name === "protect" && !session.user) return { name: "login" };
  if (to.name === "protect" && !session.user?.must_enrol) return "/";
  // a role needs a second factor: nothing else is open until there is one
  if (session.user?.must_enrol && !to.meta.open) return { name: "protect", query: { next: to.fullPath } };
  return true;
});

router.afterEach((to) => {
  if (to.meta.open) window.setTimeout(() => void LayoutMain().catch(() => undefined), 2500);
});

// A new release has other file names; a page that asks for an old one is loaded anew, once.
router.onError((error, to) => {
  if (!/import|module|fetch/i.test(String(error))) return;
  const tried = `waypost.reloaded:${to.fullPath}`;
  if (sessionStorage.getItem(tried)) return;
  sessionStorage.setItem(tried, "1");
  window.location.assign(to.fullPath);
});
