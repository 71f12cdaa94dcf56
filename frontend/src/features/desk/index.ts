export { default as ExportMenu } from "./ExportMenu.vue";
