export { default as ApprovalFlow } from "./ApprovalFlow.vue";
export { default as ApprovalPreview } from "./ApprovalPreview.vue";
export { default as DecisionBar } from "./DecisionBar.vue";
export { useApprovalCount } from "./queries";
export { default as ApprovalPath } from "./path/ApprovalPath.vue";
