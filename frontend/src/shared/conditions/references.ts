import { useQuery } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { useSession } from "@/stores/session";

interface Named {
  id: number;
  name: string;
}
const PAGES = 20;

/** Every page of a list that a company has little of. */
export async function all<T>(
  page: (cursor?: string) => Promise<{ items: T[]; next_cursor: string | null }>,
): Promise<T[]> {
  const found: T[] = [];
  let cursor: string | undefined;
  for (let n = 0; n < PAGES; n += 1) {
    const { items, next_cursor } = await page(cursor);
    found.push(...items);
    if (!next_cursor) break;
    cursor = next_cursor;
  }
  return found;
}

/** All teams with their members, by name. */
export function useTeams(enabled?: Ref<boolean>) {
  return useQuery({
    queryKey: ["teams"],
    queryFn: ({ signal }) => all((cursor) => data(api.teams({ query: { limit: 100, cursor }, signal }))),
    enabled,
    staleTime: 60_000,
  });
}

/** All departments, by name. */
export function useDepartments(enabled?: Ref<boolean>) {
  return useQuery({
    queryKey: ["departments"],
    queryFn: ({ signal }) =>
      all((cursor) => data(api.departments({ query: { limit: 100, cursor }, signal }))),
    enabled,
    staleTime: 60_000,
  });
}

/** The roles there are, by name; none for who may not read them. */
export function useRoles(enabled?: Ref<boolean>) {
  const session = useSession();
  return useQuery({
    queryKey: ["roles", "named"],
    queryFn: ({ signal }) => all((cursor) => data(api.roles({ query: { limit: 100, cursor }, signal }))),
    enabled: computed(() => (enabled?.value ?? true) && session.can("roles:read")),
    staleTime: 60_000,
  });
}

/** People one knows by number: their names, whether active or not. */
export function usePeopleBy(ids: Ref<number[]>) {
  const wanted = computed(() => [...new Set(ids.value)].sort((a, b) => a - b).slice(0, 100));
  return useQuery({
    queryKey: ["people", "by-id", wanted],
    queryFn: ({ signal }) => data(api.people({ query: { id: wanted.value, limit: 100 }, signal })),
    enabled: computed(() => wanted.value.length > 0),
    placeholderData: (before) => before,
    staleTime: 60_000,
  });
}

/** What the people, teams and departments of some ids are called; an id nobody knows stays "#17". */
export function useNames(wanted: Ref<Record<"person" | "team" | "department", number[]>>) {
  const people = usePeopleBy(computed(() => wanted.value.person));
  const teams = useTeams(computed(() => wanted.value.team.length > 0));
  const departments = useDepartments(computed(() => wanted.value.department.length > 0));
  const maps = computed(() => ({
    person: map(people.data.value?.items),
    team: map(teams.data.value),
    department: map(departments.data.value),
  }));
  return (whose: "person" | "team" | "department", id: number): string =>
    maps.value[whose].get(id) ?? `#${id}`;
}

const map = (items: Named[] | undefined) => new Map((items ?? []).map((i) => [i.id, i.name]));
