/** Pure: what a ticket list is narrowed to, and what a form holds. */
export { amountOf, fieldsOf, filled, missing, type FormField } from "./formModel";
export * from "./filterModel";
