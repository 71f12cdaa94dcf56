import { useI18n } from "vue-i18n";
import type { TicketListItem, TicketRead } from "@/api/generated";
import { useShortcuts, type Shortcut } from "@/shared/composables/useShortcuts";
import { useSession } from "@/stores/session";
import { openField } from "./asked";
import { useChange } from "./useChange";

/** Single keys that change the ticket at hand: `s` status, `p` priority, `a` assign, `i` assign to me. */
export function useFieldKeys(current: () => TicketRead | TicketListItem | undefined): void {
  const { t } = useI18n();
  const session = useSession();
  const toast = useToast();
  const change = useChange();
  async function take(): Promise<void> {
    const ticket = current();
    const me = session.user;
    if (!ticket || !me || !session.can("tickets:assign")) return;
    const outcome = await change(ticket, {
      field: "assignee",
      value: { id: me.id, username: me.username, name: me.name },
    });
    if (!outcome.ok) toast.add({ title: outcome.why, color: "error" });
  }
  const open = (field: "status" | "priority" | "assignee") => () => {
    const ticket = current();
    if (ticket) openField(ticket.id, field);
  };
  const keys: Shortcut[] = [
    { key: "s", label: t("tickets.work.key.status"), run: open("status") },
    { key: "p", label: t("tickets.work.key.priority"), run: open("priority") },
  ];
  if (session.can("tickets:assign")) {
    keys.push(
      { key: "a", label: t("tickets.work.key.assign"), run: open("assignee") },
      { key: "i", label: t("tickets.work.key.take"), run: () => void take() },
    );
  }
  useShortcuts(keys);
}
