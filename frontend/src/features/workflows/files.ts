/** Workflows as files: taken away, and brought from somewhere else. */
import { keep } from "@/shared/lib/download";
import { exportFile } from "./queries";

/** A name every system takes for a file. */
export function fileName(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "");
  return `${plain || "workflow"}.workflow.json`;
}

export async function download(id: number, name: string): Promise<void> {
  const document = await exportFile(id);
  keep(new Blob([`${JSON.stringify(document, null, 2)}\n`], { type: "application/json" }), fileName(name));
}

/** What a file says; null when it is none of ours. */
export function read(text: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
