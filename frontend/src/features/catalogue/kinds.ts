import type { FieldKind } from "@/features/tickets";

/** How each kind of field is recognised at a glance. */
export const KIND_ICON: Record<FieldKind, string> = {
  text: "i-lucide-type",
  long_text: "i-lucide-text",
  number: "i-lucide-hash",
  money: "i-lucide-banknote",
  date: "i-lucide-calendar",
  choice: "i-lucide-circle-dot",
  multi_choice: "i-lucide-list-checks",
  person: "i-lucide-user",
  department: "i-lucide-building",
  file: "i-lucide-paperclip",
  checkbox: "i-lucide-square-check",
};
