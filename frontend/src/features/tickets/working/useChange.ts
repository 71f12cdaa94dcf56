import { useQueryClient, type InfiniteData } from "@tanstack/vue-query";
import { shallowRef } from "vue";
import { useI18n } from "vue-i18n";
import { data } from "@/api/client";
import * as api from "@/api/generated";
import { asProblem, type Problem } from "@/api/problem";
import { announce } from "@/shared/composables/useAnnouncer";
import { useProblem } from "@/shared/composables/useProblem";
import { keys } from "../queries";
import { clashes, type Change, type Choice, type Clash } from "./conflict";
import {
  isLookedAt,
  isSame,
  mayChange,
  opposite,
  patched,
  statusesOf,
  valuesOf,
  type Patch,
  type Shown,
} from "./patch";
import { useValueWords } from "./useValueWords";

type Ticket = Shown & { id: number; ticket_number: string };

/** Both values of what two people changed, for the dialog; its answer decides. Null while there is nothing to decide. */
export const conflict = shallowRef<{
  number: string;
  clashes: Clash[];
  decide: (chosen: Record<string, Choice> | null) => void;
} | null>(null);

/** Let a person choose between their value and the other's, field by field; null when they leave it. */
export function choose(number: string, found: Clash[]): Promise<Record<string, Choice> | null> {
  conflict.value?.decide(null);
  return new Promise((resolve) => {
    conflict.value = {
      number,
      clashes: found,
      decide: (chosen) => {
        conflict.value = null;
        resolve(chosen);
      },
    };
  });
}

/** Whom a change would ask again, for the dialog; its answer goes on or leaves it. Null while nothing is asked. */
export const asksAgain = shallowRef<{
  number: string;
  path: api.ChangePath;
  decide: (goOn: boolean) => void;
} | null>(null);

/** Whether to make a change that asks approvers again. What cannot be foreseen is no reason not to: the server decides. */
async function maySend(ticket: Ticket, { field, value }: Patch): Promise<boolean> {
  const body = { [field]: value };
  const path = await data(api.changePath({ path: { ticket_id: ticket.id }, body })).catch(() => null);
  if (!path?.asks_again || (path.asks_again.extent === "NOTHING" && !path.problem)) return true;
  asksAgain.value?.decide(false);
  return new Promise((resolve) => {
    asksAgain.value = {
      number: ticket.ticket_number,
      path,
      decide: (goOn) => {
        asksAgain.value = null;
        resolve(goOn);
      },
    };
  });
}

/** What changed since, from the problem of a 412. */
export function changesOf(problem: Problem): { version: number; changed: Change[] } | null {
  const { current_version: version, changed } = problem.facts;
  if (problem.status !== 412 || typeof version !== "number" || !Array.isArray(changed)) return null;
  return { version, changed: changed as Change[] };
}

function send(ticket: Ticket, patch: Patch, version: number): Promise<api.TicketRead | void> {
  const path = { ticket_id: ticket.id };
  const headers = { "if-match": `"${ticket.id}-${version}"` };
  switch (patch.field) {
    case "status":
      return data(api.changeStatus({ path, headers, body: { to: patch.value } }));
    case "assignee":
      return data(api.assignTicket({ path, headers, body: { assignee_id: patch.value?.id ?? null } }));
    case "team":
      return data(
        api.assignTicket({ path, headers, body: { assignee_id: null, team_id: patch.value?.id ?? null } }),
      );
    default:
      return data(api.updateTicket({ path, headers, body: { [patch.field]: patch.value } }));
  }
}

export type Outcome = { ok: true; gone: boolean } | { ok: false; why: string };

/**
 * Change a property where it stands: it shows at once, asks first when approvers would be asked again, goes back with
 * the reason when it is refused, asks when somebody else changed the same meanwhile, and can be taken back for eight
 * seconds.
 */
export function useChange(): (ticket: Ticket, patch: Patch) => Promise<Outcome> {
  const queries = useQueryClient();
  const toast = useToast();
  const say = useProblem();
  const { t } = useI18n();
  const words = useValueWords();

  function show(id: number, with_: (ticket: Shown) => Shown): void {
    queries.setQueryData<api.TicketRead>(keys.one(id), (old) => old && (with_(old) as api.TicketRead));
    queries.setQueriesData<InfiniteData<api.TicketPage>>({ queryKey: keys.lists }, (old) =>
      old && Array.isArray(old.pages)
        ? {
            ...old,
            pages: old.pages.map((page) => ({
              ...page,
              items: page.items.map((item) => (item.id === id ? (with_(item) as api.TicketListItem) : item)),
            })),
          }
        : old,
    );
  }

  async function settle(id: number): Promise<void> {
    await Promise.all([
      queries.invalidateQueries({ queryKey: keys.one(id) }),
      queries.invalidateQueries({ queryKey: keys.lists }),
      queries.invalidateQueries({ queryKey: ["approvals"] }),
    ]);
  }

  async function trySending(
    ticket: Ticket,
    patch: Patch,
    version: number,
  ): Promise<api.TicketRead | void | null> {
    try {
      return await send(ticket, patch, version);
    } catch (error) {
      const since = changesOf(asProblem(error));
      if (!since) throw error;
      const mine = { [patch.field]: patch.value };
      const found = clashes(valuesOf(ticket), mine, since.changed);
      if (found.length) {
        // what stands there now is seen behind the question
        show(ticket.id, (old) =>
          since.changed.reduce((now, c) => (c.field in now ? { ...now, [c.field]: c.value } : now), old),
        );
        const chosen = await choose(ticket.ticket_number, found);
        if (chosen?.[patch.field] !== "mine") return null;
        show(ticket.id, (old) => patched(old, patch));
      }
      return trySending(ticket, patch, since.version);
    }
  }

  async function change(ticket: Ticket, patch: Patch, isUndo = false): Promise<Outcome> {
    if (isSame(ticket, patch)) return { ok: true, gone: false };
    await queries.cancelQueries({ queryKey: keys.one(ticket.id) });
    show(ticket.id, (old) => patched(old, patch));
    const back = () => show(ticket.id, (old) => ({ ...old, ...valuesOf(ticket) }));
    if (!isUndo && isLookedAt(ticket, patch) && !(await maySend(ticket, patch))) {
      back();
      return { ok: true, gone: false };
    }
    try {
      const now = await trySending(ticket, patch, ticket.version);
      if (now === null) return { ok: true, gone: false };
      if (!now) {
        toast.add({ title: t("tickets.gone", { number: ticket.ticket_number }), color: "success" });
        return { ok: true, gone: true };
      }
      show(now.id, (old) => ({ ...old, ...now }));
      tell(ticket, patch, now, isUndo);
      return { ok: true, gone: false };
    } catch (error) {
      back();
      const why = Object.values(asProblem(error).byField)[0] ?? say(error);
      announce(t("tickets.work.notChanged", { why }));
      return { ok: false, why };
    } finally {
      void settle(ticket.id);
    }
  }

  function tell(before: Ticket, patch: Patch, now: api.TicketRead, isUndo: boolean): void {
    const field = t(`tickets.work.field.${patch.field}`);
    const title = t(isUndo ? "tickets.work.undone" : "tickets.work.changed", {
      number: now.ticket_number,
      field,
      value: words(patch.field, patch.value),
    });
    const back = opposite(before, patch);
    const canUndo =
      !isUndo &&
      mayChange(now.allowed_actions, back.field) &&
      (back.field !== "status" || statusesOf(now.allowed_actions, now.status).includes(back.value));
    const id = `change-${now.id}-${now.version}`;
    toast.add({
      id,
      title,
      color: "neutral",
      duration: 8000,
      close: true,
      actions: canUndo
        ? [
            {
              label: t("tickets.work.undo"),
              color: "primary",
              variant: "outline",
              onClick: () => {
                toast.remove(id);
                void change({ ...now }, back, true).then((outcome) => {
                  if (!outcome.ok) toast.add({ title: outcome.why, color: "error" });
                });
              },
            },
          ]
        : [],
    });
  }

  return (ticket, patch) => change(ticket, patch);
}
