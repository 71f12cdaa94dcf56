import { useEventListener } from "@vueuse/core";
import { computed, onScopeDispose, ref, shallowRef, type Ref } from "vue";
import { begin, put, redone, undone, type History } from "./history";
import { AT_ONCE, Keeper, SOON, type KeepState } from "./keeper";
import { asBefore, documentOf, isSame, workflowOf, type Workflow } from "./model";
import { placedIn, type Problem } from "./problems";
import { saveDraft, type Draft } from "./queries";

/** A workflow while it is put together: what was done to it, what of that is kept, and what is wrong with it. */
export function useDesigning(id: Ref<number>, me: number | null) {
  const history = shallowRef<History<Workflow> | null>(null);
  const workflow = computed(() => history.value?.present ?? null);
  const state = ref<KeepState>("kept");
  const keptAt = ref<string | null>(null);
  /** The published version it was begun from. */
  const basedOn = ref(0);
  /** Who kept it last, when that was somebody else. */
  const keptBy = ref<string | null>(null);
  const failure = shallowRef<unknown>(null);
  const checked = shallowRef<{ workflow: Workflow; problems: Problem[] } | null>(null);
  const problems = computed(() =>
    checked.value ? placedIn(checked.value.workflow, checked.value.problems) : [],
  );
  const version = ref(0);
  let keeper: Keeper<Workflow> | null = null;

  function note({ is_kept, saved_at, saved_by, based_on }: Draft): void {
    basedOn.value = based_on;
    keptAt.value = is_kept ? saved_at : null;
    keptBy.value = is_kept && saved_by && saved_by.id !== me ? saved_by.name : null;
  }
  function keep(from: number): void {
    keeper?.stop();
    version.value = from;
    state.value = "kept";
    failure.value = null;
    const { value: whose } = id;
    keeper = new Keeper<Workflow>(from, {
      send: async (value, draft_version) => {
        const draft = await saveDraft(whose, { document: documentOf(value), draft_version });
        checked.value = { workflow: value, problems: draft.problems };
        version.value = draft.draft_version;
        note(draft);
        return draft.draft_version;
      },
      tell: (now, error) => {
        state.value = now;
        failure.value = error ?? null;
      },
    });
  }
  /** From the beginning: a draft as the server has it. */
  function start(draft: Draft): void {
    const read = workflowOf(draft.document);
    const next = workflow.value ? asBefore(read, workflow.value) : read;
    history.value = begin(next);
    checked.value = { workflow: next, problems: draft.problems };
    note(draft);
    keep(draft.draft_version);
  }
  function step(next: History<Workflow>, isTyped = false): void {
    if (!history.value || next === history.value) return;
    history.value = next;
    keeper?.change(next.present, isTyped ? SOON : AT_ONCE);
  }
  const change = (next: Workflow, tag: string | null = null) =>
    history.value && step(put(history.value, next, tag, Date.now()), tag !== null);
  const undo = () => history.value && step(undone(history.value));
  const redo = () => history.value && step(redone(history.value));

  /** Somebody else's draft in the place of one's own, which undoing brings back. */
  function takeTheirs(draft: Draft): void {
    if (!history.value) return;
    const theirs = asBefore(workflowOf(draft.document), history.value.present);
    history.value = put(history.value, theirs, null, Date.now());
    checked.value = { workflow: theirs, problems: draft.problems };
    note(draft);
    keep(draft.draft_version);
  }
  /** One's own in the place of somebody else's. */
  function keepMine(draft: Draft): void {
    const { value: mine } = workflow;
    keep(draft.draft_version);
    if (mine && !isSame(mine, workflowOf(draft.document))) keeper?.change(mine);
  }
  /** Nothing is kept any more; the version that is. */
  const halt = async () => (keeper ? keeper.halt() : version.value);
  /** What was halted goes on with what is on the screen. */
  function goOn(): void {
    keep(version.value);
    if (workflow.value) keeper?.change(workflow.value);
  }
  const flush = async () => (keeper ? keeper.flush() : true);
  useEventListener(window, "online", () => void flush());
  onScopeDispose(() => keeper?.stop());

  return {
    workflow,
    problems,
    state,
    failure,
    keptAt,
    keptBy,
    basedOn,
    version,
    canUndo: computed(() => !!history.value?.past.length),
    canRedo: computed(() => !!history.value?.future.length),
    start,
    change,
    undo,
    redo,
    takeTheirs,
    keepMine,
    flush,
    halt,
    goOn,
  };
}
