export { default as ExportMenu } from "./ExportMenu.vue";
export { keep } from "./download";
