import { computed, type Ref } from "vue";
import { useRoles, useTeams } from "@/shared/conditions/references";
import { useSession } from "@/stores/session";

/** The teams and roles one may share with or send to: one's own teams; who administers views any team, and roles. */
export function useOwnGroups(chosen: Ref<number[]>) {
  const session = useSession();
  const administers = computed(() => session.can("views:configure"));
  const { data: known } = useTeams();
  // a team one has left stays to be seen, and to be taken off
  const teams = computed(() =>
    (known.value ?? []).filter(
      (team) =>
        administers.value ||
        chosen.value.includes(team.id) ||
        team.members.some((m) => m.id === session.user?.id),
    ),
  );
  const { data: allRoles } = useRoles(computed(() => administers.value));
  const roles = computed(() => (administers.value ? (allRoles.value ?? []) : []));
  return { teams, roles };
}
