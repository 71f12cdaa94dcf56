import { useI18n } from "vue-i18n";
import { asProblem } from "@/api/problem";

/** What a person reads when something was not done: the server's sentence, or one of ours when it cannot be reached. */
export function useProblem(): (error: unknown) => string {
  const { t } = useI18n();
  return (error) => {
    const problem = asProblem(error);
    if (problem.code === "not_kept") return t("problem.notKept");
    if (problem.status === 0) return t("problem.offline");
    if (problem.status === 401) return t("problem.ended");
    if (problem.status === 429) return t("problem.throttled", { seconds: problem.retryAfter ?? 60 });
    if (problem.status >= 500) return t("problem.server", { id: problem.requestId ?? "–" });
    return problem.message || t("problem.unknown");
  };
}
