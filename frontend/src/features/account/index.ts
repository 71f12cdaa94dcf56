export { default as SecondFactorForm } from "./SecondFactorForm.vue";
