export { default as ApprovalFlow } from "./ApprovalFlow.vue";
export { default as ApprovalPath } from "./path/ApprovalPath.vue";
export { default as ApprovalPreview } from "./ApprovalPreview.vue";
export { default as DecisionBar } from "./DecisionBar.vue";
export { default as HeldElsewhere } from "./deciding/HeldElsewhere.vue";
export { useApprovalCount } from "./deciding/held";
export { default as AsksAgain } from "./path/AsksAgain.vue";
