import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/vue-query";
import type { Ref } from "vue";
import { data } from "@/api/client";
import * as api from "@/api/generated";

/** Absences of now and later: one's own and those one may set, or a team's. */
export function useAbsences(team: Ref<number | undefined>) {
  return useInfiniteQuery({
    queryKey: ["absences", team],
    queryFn: ({ pageParam, signal }) =>
      data(api.absences({ query: { team_id: team.value, limit: 50, cursor: pageParam }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
}

function useChange<V, A>(change: (values: V) => Promise<A>, keys: string[]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => Promise.all(keys.map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  });
}

/** An absence, and perhaps who decides meanwhile: both are kept, or neither. */
export const useSetAbsence = () =>
  useChange(
    ({ key, ...body }: api.AwayCreate & { key: string }) =>
      data(api.goAway({ body, headers: { "Idempotency-Key": key } })),
    ["absences", "people", "tickets", "delegations", "standing", "approvals"],
  );

export const useRemoveAbsence = () =>
  useChange(
    (absence_id: number) => data(api.removeAbsence({ path: { absence_id } })),
    ["absences", "people", "tickets", "delegations", "standing", "approvals"],
  );

export const useSetMember = () =>
  useChange(
    ({ team_id, user_id, is_lead }: { team_id: number; user_id: number; is_lead: boolean }) =>
      data(api.setTeamMember({ path: { team_id, user_id }, body: { is_lead } })),
    ["teams", "queues"],
  );

export const useRemoveMember = () =>
  useChange(
    (path: { team_id: number; user_id: number }) => data(api.removeTeamMember({ path })),
    ["teams", "queues"],
  );

export const useCreateTeam = () =>
  useChange(
    ({ key, ...body }: api.TeamCreate & { key: string }) =>
      data(api.createTeam({ body, headers: { "Idempotency-Key": key } })),
    ["teams", "queues"],
  );

export const useUpdateTeam = () =>
  useChange(
    ({ id, ...body }: api.TeamUpdate & { id: number }) =>
      data(api.updateTeam({ path: { team_id: id }, body })),
    ["teams", "queues"],
  );

/** Close a team; its work goes to `to`. */
export const useCloseTeam = () =>
  useChange(
    ({ id, to }: { id: number; to: number | null }) =>
      data(api.deleteTeam({ path: { team_id: id }, query: { to } })),
    ["teams", "queues", "tickets", "ticket-types", "saved-views"],
  );

export const useCreateDepartment = () =>
  useChange(
    ({ key, ...body }: api.DepartmentCreate & { key: string }) =>
      data(api.createDepartment({ body, headers: { "Idempotency-Key": key } })),
    ["departments"],
  );

export const useUpdateDepartment = () =>
  useChange(
    ({ id, ...body }: api.DepartmentUpdate & { id: number }) =>
      data(api.updateDepartment({ path: { department_id: id }, body })),
    ["departments", "users", "people"],
  );

/** Close a department; what is in it goes to `to`. */
export const useCloseDepartment = () =>
  useChange(
    ({ id, to }: { id: number; to: number | null }) =>
      data(api.deleteDepartment({ path: { department_id: id }, query: { to } })),
    ["departments", "users", "people", "tickets"],
  );
