import { computed, watch, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { announce } from "@/shared/composables/useAnnouncer";
import { number } from "@/shared/lib/format";
import type { UploadQueue } from "./uploads";

/** Tells screen readers how the uploads go: when they begin, at each quarter, and what came of them. */
export function useUploadNews(queue: Ref<UploadQueue>): void {
  const { t } = useI18n();
  const count = (state: string) => queue.value.items.filter((u) => u.state === state).length;
  const quarter = computed(() => Math.floor(queue.value.share * 4));
  const say = (key: string, n: number) => (n ? [t(`tickets.files.news.${key}`, { n }, n)] : []);
  let arrived = 0;
  watch(
    () => queue.value.state.arrived,
    (now) => (arrived = now || arrived),
    { flush: "sync" },
  );
  watch(
    () => queue.value.isBusy,
    (isBusy) => {
      if (isBusy) {
        arrived = 0;
        announce(say("begun", queue.value.open.length).join(""));
      } else announce([...say("added", arrived), ...say("failed", count("failed"))].join(", "));
    },
  );
  watch(quarter, (now) => {
    if (!queue.value.isBusy || now < 1 || now > 3) return;
    announce(t("tickets.files.news.share", { percent: number(now / 4, { style: "percent" }) }));
  });
  watch(
    () => count("refused"),
    (now, before) => now > before && announce(say("refused", now - before).join("")),
  );
}
