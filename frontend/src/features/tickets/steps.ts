/** Pure: the steps a ticket can take now, as buttons and commands. What may be done is the server's word. */
import { ref } from "vue";
import type { StatusChange, TicketRead } from "@/api/generated";

export interface Step {
  word: string;
  to: StatusChange["to"] | null;
  asks: boolean;
  needsWords: boolean;
  strong: boolean;
}

export function stepsOf(ticket: Pick<TicketRead, "allowed_actions" | "status">): Step[] {
  const has = (word: string) => ticket.allowed_actions.includes(word);
  const found: Step[] = [];
  const put = (word: string, to: Step["to"], more: Partial<Step> = {}) =>
    found.push({ word, to, asks: false, needsWords: false, strong: false, ...more });
  if (has("submit")) put("submit", null, { strong: true });
  if (has("answer")) put("answer", "IN_REVIEW", { asks: true, needsWords: true, strong: true });
  if (has("transition:IN_PROGRESS")) {
    if (has("reopen")) put("reopen", "IN_PROGRESS", { asks: true });
    else put("start", "IN_PROGRESS", { strong: true });
  }
  if (has("transition:COMPLETED")) put("complete", "COMPLETED", { asks: true, strong: true });
  if (has("transition:CLOSED")) {
    if (ticket.status === "DRAFT") put("discard", "CLOSED", { asks: true });
    else put("close", "CLOSED");
  }
  if (has("withdraw")) put("withdraw", "DRAFT", { asks: true });
  return found;
}

/** A step somebody asked for elsewhere than at its button; the ticket's page takes it, with its questions. */
export const wanted = ref<{ ticketId: number; word: string } | null>(null);
