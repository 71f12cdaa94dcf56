export { default as AccessLink } from "./AccessLink.vue";
