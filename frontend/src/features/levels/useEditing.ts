import { computed, nextTick, ref, shallowRef, watch, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { useRouter } from "vue-router";
import { asProblem } from "@/api/problem";
import { announce } from "@/shared/composables/useAnnouncer";
import { useProblem } from "@/shared/composables/useProblem";

type Mistakes = { pointer: string; message: string }[];

/** One thing as it is edited: what was read, what it is now, and what the server says to it. */
export function useEditing<R extends { version: number }, D>(
  read: Ref<R | undefined>,
  draftOf: (read: R) => D,
  empty: () => D,
  isNew: Ref<boolean>,
) {
  const { t } = useI18n();
  const toast = useToast();
  const say = useProblem();
  const router = useRouter();
  const draft = shallowRef<D>(empty());
  const before = ref(JSON.stringify(draft.value));
  const version = ref(1);
  const isStale = ref(false);
  const errors = shallowRef<Mistakes>([]);
  const isDone = ref(false);
  const isChanged = computed(
    () => !isDone.value && (isNew.value || JSON.stringify(draft.value) !== before.value),
  );

  function take(value: R): void {
    draft.value = draftOf(value);
    before.value = JSON.stringify(draft.value);
    version.value = value.version;
    errors.value = [];
    isStale.value = false;
  }
  watch(
    read,
    (value) => {
      if (value && (!isChanged.value || isNew.value)) take(value);
    },
    { immediate: true },
  );

  function refused(wrong: unknown): void {
    const problem = asProblem(wrong);
    if (problem.status === 412) {
      isStale.value = true;
      return;
    }
    errors.value = problem.errors;
    if (!problem.errors.length) toast.add({ title: say(wrong), color: "error" });
    else void nextTick(() => document.getElementById("levels-errors")?.focus());
  }
  function saved(value: R, path: string): void {
    take(value);
    toast.add({ title: t("levels.saved"), color: "success" });
    announce(t("levels.saved"));
    if (isNew.value) {
      isDone.value = true;
      void router.replace(path).then(() => (isDone.value = false));
    }
  }
  function removed(tab?: string): void {
    isDone.value = true;
    toast.add({ title: t("levels.removed"), color: "success" });
    void router.push({ path: "/settings/service-levels", query: tab ? { tab } : {} });
  }
  return { draft, version, isStale, errors, isChanged, take, refused, saved, removed };
}
