import { useMutation, useQueryClient } from "@tanstack/vue-query";
import { computed, ref, shallowRef, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import type { PathAsk, TicketCreate, TicketTypeRead } from "@/api/generated";
import { asProblem } from "@/api/problem";
import { useProblem } from "@/shared/composables/useProblem";
import {
  amountOf,
  fieldsOf,
  missing,
  sent,
  shownFields,
  wrongIn,
  type Facts,
  type Values,
} from "../formModel";
import { useSession } from "@/stores/session";
import { keys } from "../queries";
import { useSending, type Sent } from "../sending";
import type { UploadQueue } from "../uploads";
import { useUploads } from "../uploadStore";
import type { Content } from "./content";
import { draftsKey } from "./drafts";

interface Hooks {
  /** Before it is sent: what is on its way to the draft arrives first. */
  settle: () => Promise<void>;
  /** It is a ticket now, and the draft is gone. */
  created: () => void;
  done: (sent: Sent) => void;
  /** Something is wrong: `errors` says what. */
  wrong: () => void;
}

/** Checks what was typed and sends it: submitted, or kept as a draft with a number. */
export function useRequest(kind: Ref<TicketTypeRead>, draftId: string, content: Ref<Content>, hooks: Hooks) {
  const { t } = useI18n();
  const toast = useToast();
  const say = useProblem();
  const session = useSession();
  const queries = useQueryClient();
  const uploads = useUploads();
  const { send: sendRequest, forget } = useSending();
  const errors = ref<Record<string, string>>({});
  const general = ref("");
  // While files are on their way the queue belongs to the ticket already.
  const onItsWay = shallowRef<UploadQueue | null>(null);
  const files = computed(() => onItsWay.value ?? uploads.of(draftId));

  /** What the form's conditions look at. */
  const facts = computed<Facts>(() => {
    const { title, amount, currency, priority, requester } = content.value;
    const exact = amount.trim() ? amountOf(amount) : null;
    return {
      title,
      amount: kind.value.has_amount ? exact : null,
      currency: kind.value.has_amount && exact !== null ? currency : null,
      priority: priority || kind.value.default_priority,
      department_id: requester ? requester.departmentId : session.user?.department?.id,
      requester_id: requester?.id ?? session.user?.id,
    };
  });
  const isGood = (state: string) => state !== "refused" && state !== "cancelled";
  /** Fields that hold files are filled by what waits for them; the ids come when there is a ticket. */
  function withFiles(fields: Values): Values {
    const held: Values = {};
    for (const field of fieldsOf(kind.value.form))
      if (field.kind === "file")
        held[field.key] = files.value.items
          .filter((u) => u.field === field.key && isGood(u.state))
          .map((u) => u.id);
    return { ...fields, ...held };
  }

  /** What came of it, in a sentence: most often that it was sent, and as what. */
  function tell({ ticket, isIncomplete, refused }: Sent): void {
    const of = { number: ticket.ticket_number, name: ticket.requester?.name ?? "" };
    const isForOther = content.value.requester !== null;
    if (refused)
      toast.add({ title: t("tickets.files.form.notSent", of), description: say(refused), color: "error" });
    else if (isIncomplete) toast.add({ title: t("tickets.files.form.kept", of), color: "warning" });
    else if (ticket.status === "DRAFT") toast.add({ title: t("tickets.form.saved", of), color: "success" });
    else
      toast.add({
        title: t(isForOther ? "tickets.asking.whom.sent" : "tickets.form.sent", of),
        color: "success",
      });
  }

  const { mutate, isPending: isSending } = useMutation({
    mutationFn: async (body: TicketCreate) => {
      onItsWay.value = uploads.of(draftId);
      await hooks.settle();
      const shown = shownFields(kind.value.form, withFiles(content.value.fields), facts.value);
      const holding = shown.filter((field) => field.kind === "file").map((field) => field.key);
      return sendRequest(body, draftId, holding, hooks.created);
    },
    onSuccess: (sent) => {
      queries.setQueryData(keys.one(sent.ticket.id), sent.ticket);
      for (const queryKey of [keys.lists, keys.waiting, ["tickets", "latest"], ["tickets", "alike"]])
        void queries.invalidateQueries({ queryKey });
      void queries.invalidateQueries({ queryKey: ["dashboard"] });
      void queries.invalidateQueries({ queryKey: draftsKey });
      tell(sent);
      hooks.done(sent);
    },
    onError: (error) => {
      const { status, byField } = asProblem(error);
      onItsWay.value = null;
      if (status >= 400 && status < 500) forget();
      errors.value = byField;
      general.value = Object.keys(byField).length ? t("tickets.form.check") : say(error);
      hooks.wrong();
    },
  });

  /** What decides who will be asked. Half an amount is none; files and fields that are not asked for decide nothing. */
  const judged = computed<PathAsk>(() => {
    const { title, priority, due, fields, requester } = content.value;
    return {
      ticket_type: kind.value.key,
      title,
      priority: (priority || undefined) as TicketCreate["priority"],
      due_date: due ? endOf(due) : null,
      custom_fields: withoutFiles(sent(kind.value.form, fields, facts.value)),
      amount: facts.value.amount ?? null,
      currency: facts.value.currency ?? null,
      requester_id: requester?.id,
    };
  });

  function send(submit: boolean): void {
    if (isSending.value) return;
    errors.value = {};
    general.value = "";
    const { title, description, priority, due, amount, currency, fields, requester } = content.value;
    const exact = amount.trim() ? amountOf(amount) : null;
    const empty = t("tickets.form.empty");
    if (!title.trim()) errors.value.title = empty;
    const { form } = kind.value;
    const given = withFiles(fields);
    for (const [key, { key: word, limit }] of Object.entries(wrongIn(form, given, facts.value)))
      errors.value[`custom_fields.${key}`] = t(`tickets.fields.wrong.${word}`, { limit });
    if (submit)
      for (const key of missing(form, given, facts.value)) errors.value[`custom_fields.${key}`] = empty;
    if (kind.value.has_amount && amount.trim() && exact === null)
      errors.value.amount = t("tickets.form.amountWrong");
    if (Object.keys(errors.value).length) {
      general.value = t("tickets.form.check");
      hooks.wrong();
      return;
    }
    mutate({
      title,
      description,
      ticket_type: kind.value.key,
      priority: (priority || undefined) as TicketCreate["priority"],
      due_date: due ? endOf(due) : null,
      custom_fields: withoutFiles(sent(form, given, facts.value)),
      amount: kind.value.has_amount ? exact : null,
      currency: kind.value.has_amount && exact !== null ? currency : null,
      requester_id: requester?.id,
      draft_id: draftId,
      submit,
    });
  }

  function withoutFiles(fields: Values): Values {
    const held = fieldsOf(kind.value.form).filter((field) => field.kind === "file");
    return Object.fromEntries(Object.entries(fields).filter(([key]) => !held.some((f) => f.key === key)));
  }

  const labels = computed<Record<string, string>>(() => ({
    title: t("tickets.field.title"),
    description: t("tickets.field.description"),
    amount: t("tickets.field.amount"),
    currency: t("tickets.field.currency"),
    priority: t("tickets.field.priority"),
    due_date: t("tickets.field.due"),
    requester_id: t("tickets.asking.whom.label"),
    ...Object.fromEntries(fieldsOf(kind.value.form).map((f) => [`custom_fields.${f.key}`, f.title])),
  }));
  const problems = computed(() =>
    Object.entries(errors.value).map(([field, message]) => ({
      field,
      label: labels.value[field] ?? field,
      message,
    })),
  );
  return { send, isSending, errors, general, problems, files, facts, judged };
}

/** The end of a working day, where the person is; null for a day there is not. */
function endOf(day: string): string | null {
  const at = new Date(`${day}T17:00:00`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}
