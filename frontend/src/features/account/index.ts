export { default as SecondFactorForm } from "./SecondFactorForm.vue";
export { default as SecretOnce } from "./SecretOnce.vue";
