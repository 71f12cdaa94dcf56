import { useI18n } from "vue-i18n";
import { date } from "@/shared/lib/format";

/** A field's value as a person reads it. */
export function useValueWords(): (field: string, value: unknown) => string {
  const { t } = useI18n();
  return (field, value) => {
    if (field === "assignee" && value === null) return t("tickets.nobody");
    if (value === null || value === undefined || value === "") return t("tickets.work.empty");
    if (field === "status") return t(`status.${String(value)}`);
    if (field === "priority") return t(`priority.${String(value)}`);
    if (field === "due_date") return date(String(value));
    if (typeof value === "boolean") return t(value ? "tickets.work.yes" : "tickets.work.no");
    if (Array.isArray(value)) return value.length ? value.map(String).join(", ") : t("tickets.work.empty");
    if (typeof value === "object") return "name" in value ? String(value.name) : JSON.stringify(value);
    return String(value);
  };
}
