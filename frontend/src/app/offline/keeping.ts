/**
 * What one looked at lately, kept in this browser for reading without a network: for the one who is signed in, and for
 * nobody after them. Only answers are kept, never a token; what is shown of them changes nothing.
 */
import {
  experimental_createQueryPersister as createPersister,
  type PersistedQuery,
} from "@tanstack/query-persist-client-core";
import { onlineManager, type Query, type QueryClient } from "@tanstack/vue-query";
import { createStore, clear, del, entries, get, set } from "idb-keyval";
import type { Me } from "@/api/generated";
import { asProblem, Problem } from "@/api/problem";
import { isKept, LARGEST, LIFE, surplus } from "./kept";
import { KEPT_MARK } from "./mark";

const OWNER = "owner";
const SOON = 600; // a list that changes all the time is written now and then
const FORM = "1"; // raised when what is kept could not be read by what comes

const store = createStore("waypost", "kept");
const prefix = "q";
const persister = createPersister<PersistedQuery>({
  storage: {
    getItem: (key) => get<PersistedQuery>(key, store),
    setItem: (key, value) => set(key, value, store),
    removeItem: (key) => del(key, store),
    entries: async () =>
      (await entries<string, PersistedQuery>(store)).filter(([key]) => key.startsWith(`${prefix}-`)),
  },
  serialize: (query) => JSON.parse(JSON.stringify(query)) as PersistedQuery,
  deserialize: (query) => query,
  buster: FORM,
  maxAge: LIFE,
  prefix,
});

let stop: () => void = () => undefined;

/** Begin to keep what this person reads; what somebody else left is removed first. */
export async function keep(queries: QueryClient, me: Me): Promise<void> {
  stop();
  const before = await get<Me>(OWNER, store);
  if (before?.id !== me.id) await clear(store);
  await set(OWNER, JSON.parse(JSON.stringify(me)), store);
  localStorage.setItem(KEPT_MARK, "1");
  await tidy();

  const due = new Map<string, Query>();
  let timer: number | undefined;
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = [...due.values()];
    due.clear();
    for (const query of batch) if (fits(query)) void persister.persistQuery(query);
  };
  const end = queries.getQueryCache().subscribe(({ type, query }) => {
    if (type !== "updated" || !isKept(query.queryKey)) return;
    if ([403, 404].includes(asProblem(query.state.error).status)) {
      due.delete(query.queryHash); // what one may not see any more is not kept either
      void del(`${prefix}-${query.queryHash}`, store);
      return;
    }
    if (query.state.status !== "success") return;
    due.set(query.queryHash, query as Query);
    timer ??= window.setTimeout(write, SOON);
  });
  for (const query of queries.getQueryCache().getAll())
    if (query.state.status === "success" && isKept(query.queryKey)) due.set(query.queryHash, query);
  write();
  const leave = () => document.visibilityState === "hidden" && write();
  document.addEventListener("visibilitychange", leave);
  // Another tab signed out: what this one still knows of is nobody's any more.
  const look = (event: StorageEvent) => event.key === KEPT_MARK && event.newValue === null && stop();
  window.addEventListener("storage", look);
  stop = () => {
    end();
    window.removeEventListener("storage", look);
    document.removeEventListener("visibilitychange", leave);
    clearTimeout(timer);
    stop = () => undefined;
  };
}

function fits(query: Query): boolean {
  try {
    return JSON.stringify(query.state.data).length <= LARGEST;
  } catch {
    return false;
  }
}

async function tidy(): Promise<void> {
  const all = await entries<string, PersistedQuery>(store);
  const answers = all.filter(([name]) => name.startsWith(`${prefix}-`));
  const old = surplus(
    answers.map(([name, { state }]) => ({ name, at: state.dataUpdatedAt })),
    Date.now(),
  );
  await Promise.all(old.map((name) => del(name, store)));
}

/** Remove all of it: who was here signed out, was signed out, or somebody else comes. */
export async function forget(): Promise<void> {
  stop();
  await clear(store);
  localStorage.removeItem(KEPT_MARK);
}

/** Show what was kept for the last person here, while nobody can be asked who is signed in. None when there is nothing. */
export async function open(queries: QueryClient): Promise<Me | null> {
  const me = await get<Me>(OWNER, store);
  if (!me) return null;
  await persister.restoreQueries(queries);
  return me;
}

/** What was never looked at cannot be read now: said at once, instead of waiting for a network that is not there. */
export function sayWhatIsMissing(queries: QueryClient): () => void {
  const say = (query: Query) => {
    const { status, fetchStatus } = query.state;
    if (onlineManager.isOnline() || status !== "pending" || fetchStatus !== "paused") return;
    void query.cancel({ silent: true }).then(() => {
      if (onlineManager.isOnline() || query.state.data !== undefined) return;
      query.setState({
        status: "error",
        fetchStatus: "idle",
        error: new Problem(0, { code: "not_kept" }),
        errorUpdatedAt: Date.now(),
      });
    });
  };
  for (const query of queries.getQueryCache().getAll()) say(query);
  return queries.getQueryCache().subscribe(({ query }) => say(query as Query));
}
