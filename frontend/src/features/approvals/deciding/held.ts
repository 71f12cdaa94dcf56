import { useQueryClient } from "@tanstack/vue-query";
import { useEventListener } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, reactive, ref, watch } from "vue";
import { data } from "@/api/client";
import type { Credential, SubjectChange } from "@/api/generated";
import * as api from "@/api/generated";
import { asProblem } from "@/api/problem";
import { useSession } from "@/stores/session";
import { useStepUp, type Lay } from "@/stores/stepUp";
import { queueKey, summaryKey, useSummary, type Verb } from "../queries";
import { keepDraft } from "./drafts";
import { makeHold, type Held } from "./holding";
import { sentOnce } from "./once";
import { laying } from "./signing";

export interface Decision {
  answer: Verb;
  comments: string;
  /** To whom it is handed on, where one says to whom. */
  to: number | null;
  /** The wording one looked at: on a newer one nothing is decided. */
  version: number;
  ticketId: number;
  title: string;
  /** What a passkey signed of exactly this. */
  signature?: Credential;
}

/** What is signed of a decision. */
export const laidFor = (
  stepId: number,
  what: Pick<Decision, "answer" | "comments" | "to" | "version">,
): Lay | null =>
  what.answer === "approve" || what.answer === "delegate"
    ? laying({
        decision: what.answer === "approve" ? "APPROVE" : "DELEGATE",
        step_ids: [stepId],
        version: what.version,
        comments: what.comments || null,
        to_id: what.to,
      })
    : null;

const CALLS = {
  approve: api.approve,
  reject: api.reject,
  request_info: api.requestInfo,
  delegate: api.delegate,
  escalate: api.escalate,
};

/** Decisions between the press of a button and the server, wherever in the app one goes meanwhile. */
export const useHeld = defineStore("held-decisions", () => {
  const queries = useQueryClient();
  const session = useSession();
  const stepUp = useStepUp();

  const send = (stepId: number, what: Decision, isLeaving: boolean) => {
    const call = (signature = what.signature) =>
      sentOnce({ stepId, what, signature }, (headers) =>
        data(
          CALLS[what.answer]({
            path: { step_id: stepId },
            body: {
              comments: what.comments || null,
              version: what.version,
              delegate_to: what.to,
              ...(signature ? { signature } : {}),
            },
            headers,
            keepalive: isLeaving,
          }),
        ),
      );
    return isLeaving ? call() : stepUp.withProof(call, laidFor(stepId, what));
  };
  /** What was written is not lost with the decision: it stands there again when one turns to it. */
  function remember(id: number, { answer, comments, to }: Decision): void {
    if (comments || to !== null) keepDraft(id, { verb: answer, words: comments, person: to });
  }
  async function settle({ id, what, state }: Held<Decision>): Promise<void> {
    if (state === "sent") own.add(id);
    else remember(id, what);
    for (const key of [["tickets"], ["dashboard"], ["approvals", "flow", what.ticketId]])
      void queries.invalidateQueries({ queryKey: key });
    await Promise.all([queueKey, summaryKey].map((queryKey) => queries.invalidateQueries({ queryKey })));
  }
  const hold = makeHold<Decision>(send, settle);
  const all = computed(() => [...hold.entries.values()]);
  const waiting = computed(() => all.value.filter((e) => e.state === "held").reverse());
  const failed = computed(() => all.value.filter((e) => e.state === "failed"));

  /** Whether this step is decided as far as one's own screen is concerned. */
  const isAway = (stepId: number) => (hold.entries.get(stepId)?.state ?? "failed") !== "failed";
  /** The step that was taken back last: whoever shows the queue turns to it. */
  const returned = ref<number | null>(null);

  function undo(stepId: number): Decision | null {
    const what = hold.undo(stepId);
    if (what) {
      remember(stepId, what);
      returned.value = stepId;
    }
    return what;
  }
  /** Why it was not sent, in the server's words, and what reads differently when that is why. */
  function failure(
    stepId: number,
  ): { detail: string; status: number; code: string; changes: SubjectChange[] } | null {
    const entry = hold.entries.get(stepId);
    if (entry?.state !== "failed") return null;
    const problem = asProblem(entry.error);
    const changes = Array.isArray(problem.facts.changes) ? (problem.facts.changes as SubjectChange[]) : [];
    const detail = Object.values(problem.byField)[0] ?? problem.message;
    return { detail, status: problem.status, code: problem.code, changes };
  }

  // What one has looked at: the version of each step that stood on the screen. And what left the queue by one's own hand.
  const seen = reactive(new Map<number, number>());
  const own = new Set<number>();

  // Whoever goes has decided: what waits leaves with the page, before one signs out, and when the app is put away.
  useEventListener(window, "pagehide", () => void hold.flush(true));
  useEventListener(document, "visibilitychange", () => {
    if (document.visibilityState === "hidden") void hold.flush(true);
  });
  session.beforeLogout(() => hold.flush(true));
  watch(
    () => session.user?.id,
    (now, before) => {
      if (before === undefined || now === before) return;
      hold.entries.clear(); // another person's screen
      seen.clear();
    },
  );

  return {
    all,
    seen,
    own,
    waiting,
    failed,
    returned,
    isAway,
    failure,
    undo,
    hold: hold.hold,
    dismiss: hold.dismiss,
    pause: hold.pause,
    resume: hold.resume,
    sendNow: hold.sendNow,
  };
});

/** How many wait for oneself, for the badge; what is decided and can still be taken back does not. */
export function useApprovalCount() {
  const { data: summary } = useSummary();
  const held = useHeld();
  return computed(() => Math.max(0, (summary.value?.count ?? 0) - held.waiting.length));
}
