export { default as TicketFacts } from "./TicketFacts.vue";
