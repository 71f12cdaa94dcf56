export { default as AlertBell } from "./list/AlertBell.vue";
export { useViewChanges, useViews } from "./list/views";
export { default as ConflictHost } from "./working/ConflictHost.vue";
export { default as OutboxNews } from "./talk/OutboxNews.vue";
export { default as PinnedViews } from "./list/PinnedViews.vue";
export { default as RequestPicks } from "./RequestPicks.vue";
export { default as SlaCell } from "./sla/SlaCell.vue";
export { default as TicketFacts } from "./TicketFacts.vue";
export { default as TicketFiles } from "./TicketFiles.vue";
export { default as DynamicForm } from "./DynamicForm.vue";
export { default as TicketPicker } from "./working/TicketPicker.vue";
export { useListFields, useTicketTypes } from "./queries";
export {
  CURRENCIES,
  FACT_KINDS,
  FIELD_KINDS,
  fieldsOf,
  kindOf,
  kindsIn,
  missing,
  sent,
  wrongIn,
  type Facts,
  type FieldKind,
  type Schema,
} from "./formModel";
export { MOST_WORDS, PRIORITIES, type Priority } from "./model";
