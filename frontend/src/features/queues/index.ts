export { default as ClaimButton } from "./ClaimButton.vue";
