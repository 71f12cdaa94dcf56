export { default as CopyPanel } from "./CopyPanel.vue";
export { default as ErasurePanel } from "./ErasurePanel.vue";
