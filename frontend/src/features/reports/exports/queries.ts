import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, type Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { keep } from "@/shared/lib/download";
import type { Days } from "../model";
import { isGoing, type Format, type Target } from "./model";

const KEY = ["reports", "exports"] as const;
const SOON = 1500;
const first = undefined as string | undefined;

/** What one had exported or got, newest first; asked again while something is being made. */
export function useExports() {
  return useInfiniteQuery({
    queryKey: [...KEY, "list"],
    queryFn: ({ pageParam, signal }) =>
      data(api.exportPage({ query: { limit: 25, cursor: pageParam }, signal })),
    initialPageParam: first,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((e) => isGoing(e.status))) ? SOON : 30_000,
  });
}

/** One export with who got what; asked again while it is being made. */
export function useExport(id: Ref<number | null>) {
  return useQuery({
    queryKey: computed(() => [...KEY, "one", id.value]),
    queryFn: ({ signal }) => data(api.exportRead({ path: { export_id: id.value ?? 0 }, signal })),
    enabled: () => id.value !== null,
    refetchInterval: (query) => (query.state.data && isGoing(query.state.data.status) ? SOON : false),
  });
}

export function useSchedules(ofAll: Ref<boolean>) {
  return useInfiniteQuery({
    queryKey: computed(() => [...KEY, "schedules", ofAll.value]),
    queryFn: ({ pageParam, signal }) =>
      data(api.schedulePage({ query: { all: ofAll.value, limit: 25, cursor: pageParam }, signal })),
    initialPageParam: first,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    refetchInterval: (query) =>
      query.state.data?.pages.some((page) => page.items.some((s) => s.last && isGoing(s.last.status)))
        ? SOON
        : 60_000,
  });
}

function useChange<V, R>(change: (values: V) => Promise<R>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

const daysOf = (days: Days) => Number(days) as api.BoardExportAsked["days"];
export const useAsk = () =>
  useChange(({ target, format }: { target: Target; format: Format }) =>
    target.board
      ? data(
          api.dashboardExport({
            path: { kind: target.board },
            body: { formats: [format], days: daysOf(target.days) },
          }),
        )
      : data(api.reportExport({ path: { report_id: target.report }, body: { formats: [format] } })),
  );
export const useCancel = () => useChange((id: number) => data(api.exportCancel({ path: { export_id: id } })));
export const useSetSchedule = () =>
  useChange(({ target, body }: { target: Target; body: api.ScheduleSet }) =>
    target.board
      ? data(
          api.dashboardSchedule({
            path: { kind: target.board },
            body: { ...body, days: daysOf(target.days) },
          }),
        )
      : data(api.scheduleCreate({ path: { report_id: target.report }, body })),
  );
export const useChangeSchedule = () =>
  useChange(({ id, version, body }: { id: number; version: number; body: api.ScheduleSet }) =>
    data(api.scheduleUpdate({ path: { schedule_id: id }, body: { ...body, version } })),
  );
export const useDrop = () =>
  useChange((id: number) => data(api.scheduleDelete({ path: { schedule_id: id } })));
export const useRun = () =>
  useChange(({ id, isTest }: { id: number; isTest: boolean }) =>
    data(api.scheduleRun({ path: { schedule_id: id }, body: { is_test: isTest } })),
  );

/** Fetches a file and hands it to the browser. */
export async function fetchFile(file: { id: number; name: string }): Promise<void> {
  const { data: content, error } = await api.exportFile({ path: { file_id: file.id }, parseAs: "blob" });
  if (error || !content) throw error ?? new Error("no answer");
  keep(content as Blob, file.name);
}
