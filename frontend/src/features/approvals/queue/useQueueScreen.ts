import { useTimeoutPoll } from "@vueuse/core";
import { computed, reactive, ref, watch, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { useRoute, useRouter } from "vue-router";
import type { QueueItem } from "@/api/generated";
import { announce } from "@/shared/composables/useAnnouncer";
import { useHeld } from "../deciding/held";
import { useQueue, type Part } from "../queries";
import { byUrgency, following } from "./order";

const GHOST = 20_000; // so long something that others decided is still named

/** What stands on the screen, and what comes next. It stays whatever happens to the queue around it. */
export function useQueueScreen(part: Ref<Part>) {
  const { t } = useI18n();
  const route = useRoute();
  const router = useRouter();
  const held = useHeld();
  const query = useQueue(part);
  const { data, hasNextPage, fetchNextPage, isPending } = query;
  const all = computed(() => data.value?.pages.flatMap((page) => page.items) ?? []);
  const items = computed(() => all.value.filter((item) => !held.isAway(item.id)).sort(byUrgency));

  // Nobody's press may meet another request: what is shown is changed by the one who looks at it, and by nobody else.
  const shown = ref<QueueItem | null>(null);
  const current = computed(() => items.value.find((item) => item.id === shown.value?.id) ?? shown.value);
  const index = computed(() => items.value.findIndex((item) => item.id === shown.value?.id));
  const isGone = computed(() => shown.value !== null && index.value < 0);
  const order = ref<QueueItem[]>([]); // as it was last with the shown one in it
  watch(
    items,
    (now) => {
      if (index.value >= 0 || shown.value === null) order.value = now;
    },
    { immediate: true },
  );

  function show(item: QueueItem | undefined): void {
    shown.value = item ?? null;
    missed.value = null;
    order.value = items.value;
    // the address has brought somebody here; from now on they go by themselves
    if (item && route.query.ticket !== undefined)
      void router.replace({ query: { ...route.query, ticket: undefined } });
    if (item && !held.seen.has(item.id)) {
      const failed = held.failed.find((entry) => entry.id === item.id);
      held.seen.set(item.id, failed?.what.version ?? item.version);
    }
  }
  /** After one's own decision, and when one moves on from what others decided: what took its place. `gone` are on their
   * way out of the list, too. */
  function next(gone: number[] = []): void {
    const id = shown.value?.id;
    const left = items.value.filter((item) => item.id !== id && !gone.includes(item.id));
    const there = new Set(left.map((item) => item.id));
    const found = following(
      order.value.filter((item) => item.id === id || there.has(item.id)),
      id,
    );
    show(left.find((item) => item.id === found?.id) ?? left[0]);
  }
  function go(by: number): void {
    if (isGone.value) next();
    else show(items.value[Math.max(0, Math.min(items.value.length - 1, index.value + by))]);
  }

  // A link from a mail or the dashboard names the ticket; it may stand far down the queue. Where it does not wait, that
  // is what stands there: another request in its stead would be decided for the one that somebody came for.
  const wanted = computed(() => {
    const { ticket } = route.query;
    return typeof ticket === "string" && /^[1-9]\d{0,15}$/.test(ticket) ? Number(ticket) : null;
  });
  const missed = ref<number | null>(null);
  const isSearching = computed(() => shown.value === null && missed.value === null && items.value.length > 0);
  watch(
    [wanted, items, isPending],
    () => {
      if (isPending.value) return;
      const named = items.value.find((item) => item.ticket.id === wanted.value);
      if (wanted.value !== null && !named && hasNextPage.value) return void fetchNextPage();
      if (named) show(named);
      else if (wanted.value !== null) [shown.value, missed.value] = [null, wanted.value];
      else if (shown.value === null && missed.value === null) show(items.value[0]);
    },
    { immediate: true },
  );
  watch(
    () => held.returned,
    (id) => {
      if (id === null) return;
      held.returned = null;
      show(items.value.find((item) => item.id === id));
    },
  );

  // What others decided, or what was withdrawn, is named for a while where it stood.
  const ghosts = reactive(new Map<number, { item: QueueItem; until: number }>());
  let known: { part: Part; items: QueueItem[] } | null = null;
  watch(
    data,
    (pages) => {
      if (!pages) return; // another part is being read
      const before = known;
      known = { part: part.value, items: all.value };
      if (before?.part !== part.value) return ghosts.clear();
      const there = new Set(all.value.map((item) => item.id));
      for (const id of there) ghosts.delete(id);
      for (const item of before.items) {
        if (there.has(item.id) || held.isAway(item.id) || held.own.has(item.id)) continue;
        ghosts.set(item.id, { item, until: Date.now() + GHOST });
        announce(t("approvals.queue.vanished", { title: item.ticket.title }));
      }
    },
    { flush: "sync", immediate: true },
  );
  useTimeoutPoll(
    () => {
      for (const [id, { until }] of ghosts) if (until < Date.now()) ghosts.delete(id);
    },
    5000,
    { immediate: true },
  );
  const isGhost = (id: number) => ghosts.has(id);
  const rows = computed(() =>
    [...items.value, ...[...ghosts.values()].map((ghost) => ghost.item)].sort(byUrgency),
  );

  return { ...query, items, rows, isGhost, current, index, isGone, missed, isSearching, show, next, go };
}
