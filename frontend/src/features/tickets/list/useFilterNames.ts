import { useQueryClient } from "@tanstack/vue-query";
import { computed, shallowRef, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useDepartments, usePeopleBy, useTeams } from "@/shared/conditions/references";
import { useSession } from "@/stores/session";
import type { Names } from "../filterText";
import type { Filters, ListKey } from "../model";
import { useTicketTypes } from "../queries";

interface Person {
  id: number;
  username: string;
  name: string;
}
/** Everybody somebody wrote of here, by id. */
const met = shallowRef(new Map<number, Person>());

/** What ids in filters are called, and back; people nobody met are looked up by `learn`. */
export function useFilterNames(filters: Ref<Filters>) {
  const queries = useQueryClient();
  const session = useSession();
  const { data: types } = useTicketTypes();
  const { data: teams } = useTeams();
  const { data: departments } = useDepartments();
  const wanted = computed(() => {
    const { requester_id, assignee_id, not } = filters.value;
    const left = not.filter((e) => /^(requester|assignee)_id:\d+$/.test(e)).map((e) => e.split(":")[1] ?? "");
    return [...requester_id, ...assignee_id, ...left].filter((v) => /^\d+$/.test(v)).map(Number);
  });
  const { data: asked } = usePeopleBy(wanted);
  const people = computed(() => {
    const found = new Map(met.value);
    for (const p of asked.value?.items ?? []) found.set(p.id, p);
    if (session.user) found.set(session.user.id, session.user as unknown as Person);
    return found;
  });

  async function learn(q: string): Promise<void> {
    if (!q.trim()) return;
    const page = await queries.fetchQuery({
      queryKey: ["people", "named", q.toLowerCase()],
      queryFn: ({ signal }) => data(api.people({ query: { q, limit: 10 }, signal })),
      staleTime: 60_000,
    });
    const next = new Map(met.value);
    for (const p of page.items) next.set(p.id, p);
    met.value = next;
  }

  const lists = computed<Partial<Record<ListKey, { id: string; word: string; label: string }[]>>>(() => {
    const folk = [...people.value.values()].map((p) => ({
      id: String(p.id),
      word: p.username,
      label: p.name,
    }));
    const named = (all?: { id: number; name: string }[]) =>
      (all ?? []).map((i) => ({ id: String(i.id), word: i.name, label: i.name }));
    return {
      requester_id: folk,
      assignee_id: folk,
      team_id: named(teams.value),
      department_id: named(departments.value),
      ticket_type: (types.value?.items ?? []).map((k) => ({
        id: k.key,
        word: k.key.toLowerCase().replaceAll("_", "-"),
        label: k.name,
      })),
    };
  });
  const names = computed<Names>(() => {
    const all = lists.value;
    return {
      wordOf: (key, id) => all[key]?.find((o) => o.id === id)?.word,
      idOf: (key, word) => {
        const said = word.toLowerCase();
        return all[key]?.find((o) => o.word.toLowerCase() === said || o.label.toLowerCase() === said)?.id;
      },
      all: (key) => all[key] ?? [],
    };
  });
  /** What people read for a value of a filter. */
  const labelOf = (key: ListKey, id: string) => lists.value[key]?.find((o) => o.id === id)?.label ?? id;
  return { names, labelOf, learn, types };
}
