export { default as StandingBanner } from "./StandingBanner.vue";
