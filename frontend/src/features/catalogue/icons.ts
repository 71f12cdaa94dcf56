/** The icons a kind of request may carry: those that travel with the app (`CATALOGUE` in vite.config.ts). */
export const ICONS = (
  "inbox life-buoy laptop monitor smartphone phone headphones printer server wifi shield key wrench lightbulb building " +
  "house map-pin package truck car plane coffee utensils users graduation-cap heart-pulse gift banknote credit-card " +
  "receipt shopping-cart calendar clipboard-list file-text mail globe"
).split(" ");
