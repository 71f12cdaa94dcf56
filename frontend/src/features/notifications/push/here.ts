/** Messages in this browser: asking it, telling the server, and letting go. */
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";
import { useSession } from "@/stores/session";
import { bytesOf, isSameKey, readMark, whatToDo, type Facts, type Mark } from "./model";

const MARK = "waypost.push";

function mark(): Mark | null {
  try {
    return readMark(localStorage.getItem(MARK));
  } catch {
    return null;
  }
}
function keepMark(value: Mark | null): void {
  if (value) localStorage.setItem(MARK, JSON.stringify(value));
  else localStorage.removeItem(MARK);
}

const PATIENCE = 8000; // for the worker of a first visit

async function registration(): Promise<ServiceWorkerRegistration | undefined> {
  if (!import.meta.env.PROD) return;
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  const never = new Promise<undefined>((tell) => setTimeout(tell, PATIENCE, undefined));
  return Promise.race([navigator.serviceWorker.ready, never]);
}
const held = async () => (await registration())?.pushManager.getSubscription() ?? null;

/** How it stands in this browser. */
export async function look(): Promise<Facts> {
  const place = await registration();
  const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent);
  return {
    canPush: place !== undefined,
    isAppleTab: isApple && !window.matchMedia("(display-mode: standalone)").matches,
    permission: place ? Notification.permission : "default",
    subscribed: place ? (await place.pushManager.getSubscription()) !== null : false,
    mark: mark(),
  };
}

// One after the other: what is half done looks to the next like something that is to be tidied away.
let last: Promise<unknown> = Promise.resolve();
function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const done = last.then(act, act);
  last = done.catch(() => undefined);
  return done;
}

/** Ask the browser, then tell the server. Must begin with a press of a button. */
export async function turnOn(label: string): Promise<api.ContactPointRead | null> {
  if ((await Notification.requestPermission()) !== "granted") return null;
  const place = await registration();
  if (!place) return null;
  return inTurn(async () => tell(await subscribed(place), label));
}

/** A subscription made with the installation's key; one made with an earlier key is made anew. */
async function subscribed(place: ServiceWorkerRegistration): Promise<PushSubscription> {
  const key = bytesOf((await data(api.pushKey({}))).public_key);
  const before = await place.pushManager.getSubscription();
  if (before && isSameKey(before.options.applicationServerKey, key)) return before;
  await before?.unsubscribe();
  return place.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function tell(subscription: PushSubscription, label: string): Promise<api.ContactPointRead> {
  const user = useSession().user?.id ?? 0;
  const { endpoint, keys } = subscription.toJSON();
  const made = await data(
    api.addContactPoint({
      body: {
        channel: "push",
        subscription: {
          endpoint: endpoint ?? subscription.endpoint,
          keys: { p256dh: keys?.p256dh ?? "", auth: keys?.auth ?? "" },
        },
        label,
      },
      headers: { "Idempotency-Key": idempotencyKey() },
    }),
  );
  keepMark({ user, point: made.id });
  return made;
}

/** Not in this browser any more. */
export function turnOff(): Promise<void> {
  return inTurn(async () => {
    const was = mark();
    if (was) await data(api.removeContactPoint({ path: { point_id: was.point } })).catch(forgiving);
    await letGo();
  });
}
function forgiving(error: unknown): void {
  if (asProblem(error).status !== 404) throw error; // taken away already
}

async function letGo(): Promise<void> {
  keepMark(null);
  await (await held())?.unsubscribe();
}

/** At the start, and when the browser got another address: the server knows this browser as it is now. */
export function sync(label: string): Promise<void> {
  return inTurn(() => renew(label));
}
async function renew(label: string): Promise<void> {
  const session = useSession();
  const subscription = await held();
  const was = mark();
  if ((!subscription && !was) || !session.user || session.isKept) return;
  const points = (await data(api.contactPoints({ query: { limit: 100 } }))).items;
  const todo = whatToDo(subscription !== null, was, session.user.id, points);
  if (todo === "end") await letGo();
  const place = await registration();
  if (todo !== "again" || !place) return;
  try {
    await tell(await subscribed(place), label);
  } catch (error) {
    if (asProblem(error).code === "push_is_off") await letGo();
  }
}

/** Who signs out is not told here any more: the server knows by the session's end, the browser by this. */
export function letGoAtLogout(): void {
  useSession().whenOver(async () => {
    if (mark()) await inTurn(letGo);
  });
}
