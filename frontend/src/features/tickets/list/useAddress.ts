import { computed, onMounted, ref, watch, type Ref } from "vue";
import { useRoute, useRouter, type LocationQueryRaw } from "vue-router";
import type { ViewRead } from "@/api/generated";
import { useSession } from "@/stores/session";
import { countOf, filtersOf, filtersOfSaved, isSame, queryOf, type Filters } from "../model";
import { areShown, columnsOf, USUAL } from "./columns";
import { addressOf, useViews } from "./views";

/** Everything a list is lies in the address: filters, order, columns, groups, the open preview and the saved view. */
export function useAddress(ownColumns: Ref<string[]>) {
  const route = useRoute();
  const router = useRouter();
  const session = useSession();
  const { data: all } = useViews();
  const views = computed(() => all.value ?? []);

  const one = (key: string) => (typeof route.query[key] === "string" ? route.query[key] : "");
  const REST = ["view", "columns", "group", "preview"];
  const rest = (): LocationQueryRaw =>
    Object.fromEntries(REST.filter((key) => one(key)).map((key) => [key, one(key)]));
  const go = (query: LocationQueryRaw) => void router.replace({ query });
  const put = (key: string, value: string) => {
    const next: LocationQueryRaw = { ...queryOf(filters.value), ...rest(), [key]: value };
    if (!value) delete next[key];
    go(next);
  };

  const filters = computed<Filters>({
    get: () => filtersOf(route.query),
    set: (next) => go({ ...queryOf(next), ...rest() }),
  });
  // The list must not see the address of the page one leaves for.
  const kept = ref(filters.value) as Ref<Filters>;
  watch(filters, (next) => {
    if (route.name === "tickets" && JSON.stringify(next) !== JSON.stringify(kept.value)) kept.value = next;
  });

  const columns = computed<string[]>({
    get: () => {
      const said = one("columns") ? one("columns").split(",") : ownColumns.value;
      return columnsOf(said).map((c) => c.key);
    },
    set: (keys) => {
      ownColumns.value = keys;
      put("columns", keys.join(",") === USUAL.join(",") ? "" : keys.join(","));
    },
  });
  const group = computed<string>({
    get: () => (["status", "assignee"].includes(one("group")) ? one("group") : ""),
    set: (value) => put("group", value),
  });
  const preview = computed<number | null>({
    get: () => (/^[1-9]\d{0,15}$/.test(one("preview")) ? Number(one("preview")) : null),
    set: (id) => put("preview", id === null ? "" : String(id)),
  });

  const view = computed<ViewRead | null>(() => views.value.find((v) => String(v.id) === one("view")) ?? null);
  const isChanged = computed(() => {
    const v = view.value;
    if (!v) return false;
    const sameColumns = areShown(v.columns, columns.value);
    return !isSame(filtersOfSaved(v), filters.value) || (v.group ?? "") !== group.value || !sameColumns;
  });
  function openView(v: ViewRead | null): void {
    void router.push({ path: "/tickets", query: v ? addressOf(v) : {} });
  }

  // Whoever comes to the bare list gets what they, or their role, chose to begin with.
  const isBare = countOf(filters.value) === 0 && !Object.keys(route.query).length;
  onMounted(() => {
    if (!isBare) return;
    const stop = watch(
      all,
      (found) => {
        if (!found) return;
        void Promise.resolve().then(() => stop());
        const roles = (session.user?.roles ?? []).map((r) => r.key);
        const first =
          found.find((v) => v.is_default && v.scope === "PERSONAL") ??
          found.find((v) => v.is_default && v.scope === "ROLE" && roles.includes(v.role ?? ""));
        if (first && route.name === "tickets" && !Object.keys(route.query).length) go(addressOf(first));
      },
      { immediate: true },
    );
  });

  return { filters, kept, columns, group, preview, view, views, isChanged, openView };
}
