import { computed, type Ref } from "vue";
import { useI18n } from "vue-i18n";
import { date, dateTime, money } from "@/shared/lib/format";
import { referencesIn, treeOf, type Field, type Group, type Json, type Speech } from "./conditions";
import { useNames } from "./references";

/** How conditions over these fields are put into words; looks up the people and teams that `trees` name. */
export function useSpeech(trees: Ref<(Group | Json)[]>, fields: Ref<Field[]>): Speech {
  const { t } = useI18n();
  const wanted = computed(() => {
    const found = { person: [] as number[], team: [] as number[], department: [] as number[] };
    for (const tree of trees.value) {
      const isTree = typeof tree === "object" && tree !== null && "parts" in tree && "mode" in tree;
      const refs = referencesIn(isTree ? (tree as Group) : treeOf(tree as Json), fields.value);
      for (const whose of ["person", "team", "department"] as const) found[whose].push(...refs[whose]);
    }
    return found;
  });
  const nameOf = useNames(wanted);
  return {
    say: (key, values) => t(`condition.words.${key}`, values ?? {}),
    show: (value, field) => {
      if (typeof value === "boolean") return t(value ? "condition.yes" : "condition.no");
      const choice = field?.choices?.find((c) => c.value === value);
      if (choice) return choice.label;
      if (field?.refers_to && typeof value === "number") return nameOf(field.refers_to, value);
      const text = String(value ?? "");
      if (field?.currency && /^-?\d+(\.\d+)?$/.test(text)) return money(text, field.currency);
      if (field?.kind === "instant" && !Number.isNaN(Date.parse(text))) return dateTime(text);
      if (field?.kind === "date" && /^\d{4}-\d{2}-\d{2}$/.test(text)) return date(`${text}T12:00:00`);
      return field?.kind === "text" || field?.kind === "list" ? `“${text}”` : text;
    },
  };
}
