export { default as OutboxNews } from "./talk/OutboxNews.vue";
export { default as RequestPicks } from "./RequestPicks.vue";
export { default as TicketFacts } from "./TicketFacts.vue";
export { default as TicketFiles } from "./TicketFiles.vue";
