export { default as WorkingCalendar } from "./WorkingCalendar.vue";
