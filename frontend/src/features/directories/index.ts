export { default as DirectoryRuns } from "./DirectoryRuns.vue";
