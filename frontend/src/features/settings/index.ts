export { places, type SettingsPlace } from "./places";
