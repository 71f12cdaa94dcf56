/**
 * The service worker: the app's files at hand without a network, and messages while no tab is open. It keeps files only,
 * never what the API says, and decides nothing.
 */
import { CACHE, outdated, ownPath, readPush, tabFor, wayOf } from "./worker/rules";

declare const self: ServiceWorkerGlobalScope;
declare const __FILES__: string[]; // what the shell needs, with the page itself as "/"
declare const __BUILD__: string;
declare const __ENTRY__: string;

const NAME = CACHE + __BUILD__;
const FILES = new Set(__FILES__);
const PATIENCE = 5000; // a network that says nothing for so long is as good as none

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(NAME).then((cache) =>
      // What has no hash in its name may stand in the browser's own cache as it was.
      cache.addAll([...FILES].map((file) => new Request(file, { cache: "no-cache" }))),
    ),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of outdated(await caches.keys(), NAME)) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const way = wayOf(event.request, self.location.origin, FILES);
  if (way === "shell") event.respondWith(page(event.request));
  else if (way === "file") event.respondWith(file(event.request));
});

/** The page as the server has it; the shell when there is no server to ask. */
async function page(request: Request): Promise<Response> {
  const shell = () => caches.match("/", { cacheName: NAME, ignoreVary: true });
  const asked = fetch(request);
  const late = new Promise<"late">((tell) => setTimeout(tell, PATIENCE, "late" as const));
  try {
    const answer = await Promise.race([asked, late]);
    if (answer !== "late" && answer.status < 500) return answer;
    return (await shell()) ?? (await asked);
  } catch (error) {
    const kept = await shell();
    if (kept) return kept;
    throw error;
  }
}

/** A file of the app: its name says what is in it, so what is kept is right. */
async function file(request: Request): Promise<Response> {
  const kept =
    (await caches.match(request, { cacheName: NAME, ignoreVary: true })) ??
    (await caches.match(request, { ignoreVary: true }));
  if (kept) return kept;
  const answer = await fetch(request);
  const isOne = answer.ok && !/^text\/html/.test(answer.headers.get("content-type") ?? "");
  if (isOne) {
    const copy = answer.clone();
    void caches.open(NAME).then((cache) => cache.put(request, copy).catch(() => undefined));
  }
  return answer;
}

self.addEventListener("message", (event) => {
  const said: unknown = event.data?.type;
  if (said === "take-over") void self.skipWaiting();
  else if (said === "which") event.ports[0]?.postMessage(__ENTRY__);
});

self.addEventListener("push", (event) => {
  const shown = readPush(event.data?.text() ?? "", self.location.origin);
  const options: NotificationOptions & { renotify?: boolean; actions?: { action: string; title: string }[] } =
    {
      body: shown.body,
      icon: "/icons/192.png",
      badge: "/icons/badge.png",
      requireInteraction: shown.urgent,
      data: { path: shown.path },
      actions: [{ action: "open", title: "Open" }],
    };
  if (shown.tag) Object.assign(options, { tag: shown.tag, renotify: true });
  event.waitUntil(
    Promise.all([self.registration.showNotification(shown.title, options), badge(shown.unread)]),
  );
});

async function badge(unread: number | null): Promise<void> {
  if (unread === null || !("setAppBadge" in self.navigator)) return;
  const app = self.navigator as WorkerNavigator & { setAppBadge(n: number): Promise<void> };
  await app.setAppBadge(unread).catch(() => undefined);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = ownPath(event.notification.data?.path, self.location.origin);
  event.waitUntil(
    (async () => {
      const tabs = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      const tab = tabFor(tabs, self.location.origin);
      if (!tab) return void (await self.clients.openWindow(path));
      tab.postMessage({ type: "open", path });
      await tab.focus().catch(() => undefined);
    })(),
  );
});

// The push service gave the browser another address: a page tells it to the server, which knows who is signed in.
self.addEventListener("pushsubscriptionchange", (event) => {
  const { oldSubscription } = event as Event & { oldSubscription?: PushSubscription | null };
  const again = async () => {
    const key = oldSubscription?.options.applicationServerKey;
    if (key)
      await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    for (const tab of await self.clients.matchAll({ type: "window" }))
      tab.postMessage({ type: "resubscribe" });
  };
  (event as ExtendableEvent).waitUntil(again().catch(() => undefined));
});
