export { default as NotificationCenter } from "./NotificationCenter.vue";
export { letGoAtLogout as letGoOfPush, sync as syncPush } from "./push/here";
export { useLabel as useBrowserLabel } from "./push/useLabel";
