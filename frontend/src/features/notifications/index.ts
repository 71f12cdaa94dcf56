export { default as NotificationCenter } from "./NotificationCenter.vue";
