export { daysOf, windowOf } from "./window";
