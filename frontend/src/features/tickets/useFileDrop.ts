import { useEventListener } from "@vueuse/core";
import { ref } from "vue";
import type { Picked } from "./uploads";

export function dropped(transfer: DataTransfer): Picked[] {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.());
  const folders = new Set(entries.filter((e) => e?.isDirectory).map((e) => e?.name));
  return [...transfer.files].map((file) => ({ file, isFolder: folders.has(file.name) }));
}

/** A pasted picture has no name of its own: all of them are called the same. */
export function named(file: File, call: (when: string) => string): File {
  const now = new Date();
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const when = `${day} ${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
  const ending = file.name.split(".").at(-1) ?? "png";
  return /^image\.\w+$/.test(file.name)
    ? new File([file], `${call(when)}.${ending}`, { type: file.type })
    : file;
}

/** Files dropped anywhere on the page or pasted into it; `isOver` while some are held above it. */
export function useFileDrop(take: (picked: Picked[]) => void, call: (when: string) => string) {
  const isOver = ref(false);
  const brings = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  useEventListener(document, "dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    isOver.value = true;
  });
  useEventListener(document, "dragleave", (event) => {
    if (!event.relatedTarget) isOver.value = false;
  });
  useEventListener(document, "drop", (event) => {
    isOver.value = false;
    if (event.defaultPrevented) return; // where it fell takes it for itself, as what one writes does
    if (!event.dataTransfer || !brings(event)) return;
    event.preventDefault();
    take(dropped(event.dataTransfer));
  });
  useEventListener(document, "paste", (event) => {
    if (event.defaultPrevented) return;
    const files = [...(event.clipboardData?.files ?? [])];
    const target = event.target instanceof Element ? event.target : null;
    const isText = event.clipboardData?.types.includes("text/plain") && target?.closest("input, textarea");
    if (!files.length || isText || target?.closest("[role='dialog']")) return;
    event.preventDefault();
    take(files.map((file) => ({ file: named(file, call) })));
  });
  return isOver;
}
