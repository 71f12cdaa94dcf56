import { shallowRef } from "vue";
import type { Field } from "./patch";

/** Which property of which ticket is to be opened for a change: a key says so, the field that shows it answers. */
export const asked = shallowRef<{ id: number; field: Field } | null>(null);

/** Open a property of a ticket that is on the screen, wherever it is shown. */
export function openField(id: number, field: Field): void {
  asked.value = { id, field };
}
