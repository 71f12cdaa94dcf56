import { useQueryClient } from "@tanstack/vue-query";
import { useClipboard } from "@vueuse/core";
import { computed, watch } from "vue";
import { useI18n } from "vue-i18n";
import { useRoute, useRouter } from "vue-router";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { announce } from "@/shared/composables/useAnnouncer";
import { useProblem } from "@/shared/composables/useProblem";
import type { Command, UseCommands } from "@/shared/lib/commands";
import { useSession } from "@/stores/session";
import { PRIORITIES, type Priority } from "./model";
import { useAssign } from "./mutations";
import { keys, useAssignees, useTicket, useTicketTypes } from "./queries";
import { recents, remember } from "./recent";
import { stepsOf, wanted } from "./steps";
import { useWatch } from "./working/surroundings";
import { useChange } from "./working/useChange";

/** The palette's part about tickets: those one finds, those one looked at, and what can be done with the open one. */
export const useCommands: UseCommands = (isOpen) => {
  const { t } = useI18n();
  const route = useRoute();
  const router = useRouter();
  const session = useSession();
  const toast = useToast();
  const say = useProblem();
  const { copy } = useClipboard({ legacy: true });
  const id = computed(() => (route.name === "ticket" ? Number(route.params.id) : 0));
  const isTicket = computed(() => id.value > 0);
  const { data: ticket } = useTicket(id, isTicket);
  const open = computed(() => (isTicket.value && ticket.value?.id === id.value ? ticket.value : null));
  const can = (action: string) => open.value?.allowed_actions.includes(action) ?? false;
  const { data: people } = useAssignees(
    id,
    computed(() => isOpen.value && can("assign")),
  );
  const { data: types } = useTicketTypes();
  const { mutate: assign } = useAssign(id);
  const change = useChange();
  const { mutate: watchIt } = useWatch(id);
  const queries = useQueryClient();
  watch(open, (now) => {
    if (now && session.user)
      remember(session.user.id, { id: now.id, number: now.ticket_number, title: now.title });
  });

  const done = (sentence: string) => ({
    onSuccess: () => {
      announce(sentence);
      toast.add({ title: sentence, color: "success" });
    },
    onError: (error: unknown) => toast.add({ title: say(error), color: "error" }),
  });
  const on = (word: string, label: string, icon: string, run: () => void, words?: string): Command => ({
    id: `ticket:${word}`,
    group: "ticket",
    label,
    icon,
    words,
    hint: open.value?.ticket_number,
    run,
  });

  function ofTicket(): Command[] {
    const now = open.value;
    if (!now) return [];
    const found = stepsOf(now).map((step) =>
      on(
        `step:${step.word}`,
        t(`tickets.do.${step.word}`),
        "i-lucide-circle-dot",
        () => {
          wanted.value = { ticketId: now.id, word: step.word };
        },
        t("tickets.palette.stepWords"),
      ),
    );
    if (can("assign")) {
      const me = session.user?.id;
      for (const person of people.value?.items ?? []) {
        if (person.id === now.assignee?.id) continue;
        const label =
          person.id === me ? t("tickets.take") : t("tickets.palette.assign", { name: person.name });
        const sentence = t("tickets.palette.assigned", { name: person.name });
        found.push(
          on(
            `assign:${person.id}`,
            label,
            "i-lucide-user-round",
            () => assign(person.id, done(sentence)),
            `${person.name} ${person.username} ${t("tickets.palette.assignWords")}`,
          ),
        );
      }
      if (now.assignee)
        found.push(
          on("assign:0", t("tickets.palette.unassign"), "i-lucide-user-round-x", () =>
            assign(null, done(t("tickets.palette.unassigned"))),
          ),
        );
    }
    if (can("edit") || can("edit:priority"))
      for (const priority of PRIORITIES.filter((p) => p !== now.priority)) {
        const label = t("tickets.palette.priority", { priority: t(`priority.${priority}`) });
        found.push(
          on(
            `priority:${priority}`,
            label,
            "i-lucide-signal",
            () => void setPriority(now, priority),
            t(`tickets.palette.priorityWords.${priority}`),
          ),
        );
      }
    const beside = queries.getQueryData<api.Surroundings>([...keys.one(now.id), "surroundings"]);
    if (beside && (beside.is_watching || beside.allowed_actions.includes("watch"))) {
      const way = beside.is_watching ? "off" : "on";
      found.push(
        on(
          "watch",
          t(`tickets.bulk.watch.${way}`),
          beside.is_watching ? "i-lucide-bell-off" : "i-lucide-bell",
          () =>
            watchIt(
              { user: session.user?.id ?? 0, on: way === "on" },
              done(t(`tickets.palette.watched.${way}`)),
            ),
        ),
      );
    }
    if (can("comment") || can("comment_internal"))
      found.push(
        on(
          "comment",
          t("tickets.palette.comment"),
          "i-lucide-message-square",
          comment,
          t("tickets.palette.commentWords"),
        ),
      );
    found.push(
      on("copy", t("tickets.copy", { number: now.ticket_number }), "i-lucide-copy", () => {
        void copy(now.ticket_number).then(() => announce(t("tickets.copied")));
      }),
      on("link", t("tickets.palette.link"), "i-lucide-link", () => {
        void copy(window.location.href).then(() => announce(t("tickets.palette.linked")));
      }),
    );
    return found;
  }
  async function setPriority(now: api.TicketRead, priority: Priority): Promise<void> {
    const outcome = await change(now, { field: "priority", value: priority });
    if (!outcome.ok) toast.add({ title: outcome.why, color: "error" });
  }
  function comment(): void {
    document.querySelector<HTMLElement>(".wp-composer textarea")?.focus();
  }

  const toTicket = (id: number, number: string, title: string, group: "tickets" | "recent"): Command => ({
    id: `${group}:${id}`,
    group,
    label: title,
    hint: number,
    words: number,
    icon: "i-lucide-inbox",
    run: () => void router.push(`/tickets/${id}`),
  });
  const everything = (words: string): Command => ({
    id: "search",
    group: "tickets",
    label: t("tickets.palette.search", { words }),
    icon: "i-lucide-search",
    run: () => void router.push({ path: "/search", query: { q: words } }),
  });
  const seen = () =>
    recents(session.user?.id ?? 0)
      .filter((r) => r.id !== id.value)
      .map((r) => toTicket(r.id, r.number, r.title, "recent"));

  return {
    first: () => [...ofTicket().slice(0, 5), ...seen()],
    commands: () => [
      ...ofTicket(),
      ...seen(),
      ...(session.can("tickets:create") ? (types.value?.items ?? []) : []).map((kind) => ({
        id: `new:${kind.key}`,
        group: "pages" as const,
        label: t("tickets.palette.new", { type: kind.name }),
        words: kind.description,
        icon: "i-lucide-plus",
        run: () => void router.push(`/new/${kind.key}`),
      })),
    ],
    find: async (words, signal) => {
      if (!session.can("tickets:read")) return [];
      const found = await data(api.searchSuggestions({ query: { q: words }, signal }));
      return [
        ...found.tickets.map((i) => toTicket(i.id, i.ticket_number, i.title, "tickets")),
        ...(found.tickets.length ? [everything(words)] : []),
        ...found.views.map((view) => ({
          id: `view:${view.id}`,
          group: "tickets" as const,
          label: view.name,
          hint: t("tickets.palette.view"),
          icon: "i-lucide-bookmark",
          run: () => void router.push({ path: "/tickets", query: { view: String(view.id) } }),
        })),
        ...found.people.map((person) => ({
          id: `person:${person.id}`,
          group: "people" as const,
          label: person.name,
          hint: person.username,
          icon: "i-lucide-user-round",
          run: () => void router.push({ path: "/tickets", query: { requester_id: String(person.id) } }),
        })),
      ];
    },
  };
};
