/// <reference types="vite/client" />
import "vue";

// Strict templates know a component's own props; these reach the element it renders (fallthrough attributes).
declare module "vue" {
  interface AllowedComponentProps {
    "aria-label"?: string;
    "aria-hidden"?: boolean | "true" | "false";
    "aria-pressed"?: boolean;
    dataField?: string;
    autocapitalize?: string;
    spellcheck?: boolean | "true" | "false";
    inputmode?: "decimal" | "numeric" | "text";
    onKeydown?: (event: KeyboardEvent) => void;
  }
}
