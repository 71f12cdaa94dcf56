import { computed, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { date } from "@/shared/lib/format";
import {
  furtherFrom,
  furtherOf,
  LISTS,
  RANGES,
  type Filters,
  type Json,
  type ListKey,
  type RangeKey,
} from "../model";

export interface Chip {
  key: string;
  label: string;
  without: Filters;
}

/** Active filters in words, each with the filters there would be without it. */
export function useChips(
  filters: Ref<Filters>,
  labelOf: (key: ListKey, id: string) => string,
  describe: (condition: Json) => string,
): Ref<Chip[]> {
  const { t, te } = useI18n();

  function valueOf(key: ListKey, value: string): string {
    if (key === "status") return t(`status.${value}`);
    if (key === "priority") return t(`priority.${value}`);
    if (value === "me") return t("tickets.me");
    if (value === "none") return t("tickets.nobody");
    if (value === "my_teams") return t("tickets.list.chip.myTeams");
    if (value === "my_departments") return t("tickets.list.chip.myDepartments");
    return labelOf(key, value);
  }
  function said(key: ListKey, value: string): string {
    const word = `tickets.list.chip.${key}`;
    return te(word) ? t(word, { value: valueOf(key, value) }) : valueOf(key, value);
  }
  function rangeOf(key: RangeKey, one: string): string {
    const name = t(`tickets.list.chip.${key}`);
    if (one === "none" || one === "any") return t(`tickets.list.range.${one}`, { name });
    const [, sign, value] = /^(>=|<=|>|<|=)(.+)$/.exec(one) as unknown as [string, string, string];
    if (value === "now") return t(`tickets.list.range.${sign === "<" ? "past" : "coming"}`, { name });
    const away = /^(\d+)([mhdw])$/.exec(value);
    if (away) {
      const time = t(`tickets.list.range.${away[2]}`, { n: Number(away[1]) }, Number(away[1]));
      const word = `${key === "due" ? "due" : "ago"}${sign.startsWith(">") ? "More" : "Less"}`;
      return t(`tickets.list.range.${word}`, { name, time });
    }
    const shown = /^\d{4}-\d{2}-\d{2}$/.test(value) ? date(`${value}T12:00:00`) : value;
    const words: Record<string, string> = {
      ">=": "from",
      "<": "before",
      ">": "above",
      "<=": "upTo",
      "=": "equal",
    };
    if (key === "amount" && sign === "<") return t("tickets.list.range.below", { name, value: shown });
    return t(`tickets.list.range.${words[sign]}`, { name, value: shown });
  }

  return computed(() => {
    const f = filters.value;
    const chips: Chip[] = [];
    const put = (key: keyof Filters, value: string, label: string) =>
      chips.push({
        key: `${key}:${value}`,
        label,
        without: { ...f, [key]: (f[key] as string[]).filter((v) => v !== value) },
      });
    if (f.q) chips.push({ key: "q", label: `“${f.q}”`, without: { ...f, q: "" } });
    for (const key of LISTS) for (const value of f[key]) put(key, value, said(key, value));
    for (const entry of f.not) {
      const at = entry.indexOf(":");
      const what = said(entry.slice(0, at) as ListKey, entry.slice(at + 1));
      put("not", entry, t("tickets.list.chip.not", { what }));
    }
    for (const key of RANGES) for (const one of f[key]) put(key, one, rangeOf(key, one));
    const parts = furtherOf(f.condition);
    parts.forEach((part, at) =>
      chips.push({
        key: `condition:${at}`,
        label: describe(part),
        without: { ...f, condition: furtherFrom(parts.filter((_, n) => n !== at)) },
      }),
    );
    return chips;
  });
}
