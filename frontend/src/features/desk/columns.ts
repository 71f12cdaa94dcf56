/** Pure: the columns of a list as an export names them. */

const NAMES: Record<string, string[]> = {
  number: ["ticket_number"],
  type: ["ticket_type"],
  amount: ["amount", "currency"], // a number alone would say half of it
  due: ["due_date"],
  sla: ["sla_state", "sla_due_at"],
  updated: ["updated_at"],
  created: ["created_at"],
};

export const exported = (shown: readonly string[]): string[] => shown.flatMap((key) => NAMES[key] ?? [key]);
