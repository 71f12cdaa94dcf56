import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data, idempotencyKey } from "@/api/client";
import * as api from "@/api/generated";
import type { Field } from "@/shared/conditions/conditions";

const KEY = ["levels"] as const;

export const useCalendars = () =>
  useQuery({
    queryKey: [...KEY, "calendars"],
    queryFn: ({ signal }) => data(api.slaCalendars({ signal })),
  });

export const useCalendar = (id: Ref<number | null>) =>
  useQuery({
    queryKey: [...KEY, "calendar", id],
    queryFn: ({ signal }) => data(api.slaCalendar({ path: { calendar_id: id.value ?? 0 }, signal })),
    enabled: computed(() => id.value !== null),
  });

export const useYear = (id: Ref<number>, version: Ref<number>, year: Ref<number>) =>
  useQuery({
    queryKey: [...KEY, "year", id, version, year],
    queryFn: ({ signal }) =>
      data(api.slaCalendarYear({ path: { calendar_id: id.value, year: year.value }, signal })),
    placeholderData: (before) => before,
  });

export const usePolicies = () =>
  useQuery({ queryKey: [...KEY, "policies"], queryFn: ({ signal }) => data(api.slaPolicies({ signal })) });

export const usePolicy = (id: Ref<number | null>) =>
  useQuery({
    queryKey: [...KEY, "policy", id],
    queryFn: ({ signal }) => data(api.slaPolicy({ path: { policy_id: id.value ?? 0 }, signal })),
    enabled: computed(() => id.value !== null),
  });

/** Who changed a policy, when and what; read again with every version. */
export const usePolicyVersions = (id: Ref<number>, version: Ref<number>) =>
  useInfiniteQuery({
    queryKey: [...KEY, "policy-versions", id, version],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.slaPolicyVersions({
          path: { policy_id: id.value },
          query: { limit: 10, ...(pageParam && { cursor: pageParam }) },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

/** What a policy said in one version; that never changes. */
export const usePolicyVersion = (id: Ref<number>, version: Ref<number>) =>
  useQuery({
    queryKey: ["level-version", id, version],
    queryFn: ({ signal }) =>
      data(api.slaPolicyVersion({ path: { policy_id: id.value, version: version.value }, signal })),
    staleTime: Infinity,
  });

export const useReadVersion = () =>
  useMutation({
    mutationFn: ({ id, version }: { id: number; version: number }) =>
      data(api.slaPolicyVersion({ path: { policy_id: id, version } })),
  });

/** What a policy's condition may speak of. */
export function usePolicyFields() {
  const query = useQuery({
    queryKey: ["ticket-fields", "service_levels"],
    queryFn: ({ signal }) => data(api.ticketFields({ query: { use: "service_levels" }, signal })),
    staleTime: 60_000,
  });
  return { ...query, fields: computed<Field[]>(() => (query.data.value?.items ?? []) as Field[]) };
}

function useChange<V, R>(change: (values: V) => Promise<R>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => void queries.invalidateQueries({ queryKey: KEY }),
  });
}

export const useSaveCalendar = () =>
  useChange(({ id, body }: { id: number | null; body: api.CalendarUpdate }) => {
    const { version, ...made } = body;
    return id === null
      ? data(api.addSlaCalendar({ body: made, headers: { "Idempotency-Key": idempotencyKey() } }))
      : data(api.changeSlaCalendar({ path: { calendar_id: id }, body: { ...made, version } }));
  });

/** Of whom it is said by which calendar they work. */
export type Whose = "person" | "department";
interface Who {
  whose: Whose;
  id: number;
}

export const useWorking = (who: Ref<Who>) =>
  useQuery({
    queryKey: [...KEY, "working", who],
    queryFn: ({ signal }) =>
      who.value.whose === "person"
        ? data(api.personCalendar({ path: { user_id: who.value.id }, signal }))
        : data(api.departmentCalendar({ path: { department_id: who.value.id }, signal })),
  });

export const useSetWorking = () =>
  useChange(({ whose, id, calendar_id }: Who & { calendar_id: number | null }) =>
    whose === "person"
      ? data(api.setPersonCalendar({ path: { user_id: id }, body: { calendar_id } }))
      : data(api.setDepartmentCalendar({ path: { department_id: id }, body: { calendar_id } })),
  );

export const useRemoveCalendar = () =>
  useChange((calendar_id: number) => data(api.removeSlaCalendar({ path: { calendar_id } })));

export const useSavePolicy = () =>
  useChange(({ id, body }: { id: number | null; body: api.PolicyUpdate }) => {
    const { version, ...made } = body;
    return id === null
      ? data(api.addSlaPolicy({ body: made, headers: { "Idempotency-Key": idempotencyKey() } }))
      : data(api.changeSlaPolicy({ path: { policy_id: id }, body: { ...made, version } }));
  });

export const useRemovePolicy = () =>
  useChange((policy_id: number) => data(api.removeSlaPolicy({ path: { policy_id } })));

export const useOrder = () => useChange((body: api.PolicyOrder) => data(api.orderSlaPolicies({ body })));

export const useTry = () =>
  useMutation({
    mutationFn: ({ id, body }: { id: number; body: api.CalendarTry }) =>
      data(api.trySlaCalendar({ path: { calendar_id: id }, body })),
  });

/** A calendar file to look at, or to take: brought from here, or fetched from an address. */
export type Source = { file: File } | { address: string };

export const useLook = () =>
  useMutation({
    mutationFn: ({ id, source }: { id: number; source: Source }) =>
      "file" in source
        ? data(api.previewCalendarFile({ path: { calendar_id: id }, body: { file: source.file } }))
        : data(api.previewCalendarFeed({ path: { calendar_id: id }, body: { address: source.address } })),
  });

export const useTake = () =>
  useChange(({ id, version, source }: { id: number; version: number; source: Source }) =>
    "file" in source
      ? data(
          api.bringCalendarFile({
            path: { calendar_id: id },
            query: { version },
            body: { file: source.file },
          }),
        )
      : data(api.setCalendarFeed({ path: { calendar_id: id }, body: { address: source.address, version } })),
  );

export const useDropFile = () =>
  useChange(({ id, version }: { id: number; version: number }) =>
    data(api.dropCalendarFile({ path: { calendar_id: id }, query: { version } })),
  );

/** A policy as it is written, tried on the newest requests; without an id as a new one. */
export const useReplay = () =>
  useMutation({
    mutationFn: ({ id, body }: { id: number | null; body: api.PolicyTried }) =>
      data(
        id === null
          ? api.replayNewSlaPolicy({ body })
          : api.replaySlaPolicy({ path: { policy_id: id }, body }),
      ),
  });

// --- the newest version for requests that run already --------------------------------------------------------------

const LOOK = 500; // milliseconds between two looks at a run that goes on

/** When a policy was applied to running requests, newest first. */
export const useRuns = (id: Ref<number>) =>
  useInfiniteQuery({
    queryKey: [...KEY, "runs", id],
    queryFn: ({ pageParam, signal }) =>
      data(
        api.slaRuns({
          path: { policy_id: id.value },
          query: { limit: 5, ...(pageParam && { cursor: pageParam }) },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  });

/** One run, looked at until it is over. */
export const useRun = (policy: Ref<number>, id: Ref<number | null>) =>
  useQuery({
    queryKey: ["level-run", policy, id],
    queryFn: ({ signal }) =>
      data(api.slaRun({ path: { policy_id: policy.value, run_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
    refetchInterval: ({ state }) => (state.data && state.data.status !== "RUNNING" ? false : LOOK),
  });

export const useBeginRun = () =>
  useMutation({
    mutationFn: ({ policy, ...body }: { policy: number } & api.LevelRunBegin) =>
      data(
        api.beginSlaRun({
          path: { policy_id: policy },
          body,
          headers: { "Idempotency-Key": idempotencyKey() },
        }),
      ),
  });

export const useStopRun = () =>
  useMutation({
    mutationFn: ({ policy, run }: { policy: number; run: number }) =>
      data(api.stopSlaRun({ path: { policy_id: policy, run_id: run } })),
  });
