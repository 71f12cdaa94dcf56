export { default as AccessLink } from "./AccessLink.vue";
export { default as PersonRoles } from "./PersonRoles.vue";
