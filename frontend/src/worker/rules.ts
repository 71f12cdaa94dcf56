/** What the worker decides. Pure: the worker itself only asks, fetches and shows. */

/** How a request is answered: the app's shell when the server is away, a kept file, or not by us at all. */
export type Way = "shell" | "file" | "network";

const NOT_THE_APP = /^\/(api|api-docs|metrics)(\/|$)/;

/** Whatever the API says is never kept and never answered here. */
export function wayOf(
  request: { method: string; url: string; mode: string },
  origin: string,
  files: ReadonlySet<string>,
): Way {
  if (request.method !== "GET") return "network";
  const url = new URL(request.url);
  if (url.origin !== origin || NOT_THE_APP.test(url.pathname)) return "network";
  if (request.mode === "navigate") return "shell";
  return files.has(url.pathname) || url.pathname.startsWith("/assets/") ? "file" : "network";
}

/** A place in the app: one's own, or the beginning of everything. */
export function ownPath(path: unknown, origin: string): string {
  if (typeof path !== "string" || !path.startsWith("/")) return "/";
  try {
    const url = new URL(path, origin);
    return url.origin === origin && !NOT_THE_APP.test(url.pathname)
      ? url.pathname + url.search + url.hash
      : "/";
  } catch {
    return "/";
  }
}

export interface Shown {
  title: string;
  body: string;
  path: string;
  tag: string;
  unread: number | null;
  urgent: boolean;
}

/** What a push message says; whatever it lacks, something can be shown. */
export function readPush(text: string, origin: string): Shown {
  let given: Record<string, unknown> = {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) given = value as Record<string, unknown>;
  } catch {
    // Shown as news of which nothing is known.
  }
  const words = (value: unknown, most: number) => (typeof value === "string" ? value.slice(0, most) : "");
  const { unread } = given;
  return {
    title: words(given.title, 200) || "Waypost",
    body: words(given.body, 500),
    path: ownPath(given.path, origin),
    tag: words(given.tag, 100),
    unread: typeof unread === "number" && Number.isSafeInteger(unread) && unread >= 0 ? unread : null,
    urgent: given.urgent === true,
  };
}

export interface Tab {
  url: string;
  focused: boolean;
  visibilityState: string;
}

/** The tab that goes where a message leads: the one that is looked at, one that is seen, any of ours; or a new one. */
export function tabFor<T extends Tab>(tabs: readonly T[], origin: string): T | undefined {
  const ours = tabs.filter((tab) => {
    const url = new URL(tab.url);
    return url.origin === origin && !NOT_THE_APP.test(url.pathname) && !url.pathname.startsWith("/decide/");
  });
  return ours.find((t) => t.focused) ?? ours.find((t) => t.visibilityState === "visible") ?? ours[0];
}

export const CACHE = "waypost-files-";

/** Which of our caches go when `current` takes over: all but it and the one before, which open tabs may still read. */
export function outdated(names: readonly string[], current: string): string[] {
  const others = names.filter((name) => name.startsWith(CACHE) && name !== current);
  return others.slice(0, -1);
}
