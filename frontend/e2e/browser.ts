import { existsSync } from "node:fs";
import chromium from "@sparticuz/chromium";

/** A real Chromium: the one `CHROMIUM` names, the system's, or the one that comes as a package. */
export async function executable(): Promise<string> {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  if (existsSync("/usr/bin/chromium")) return "/usr/bin/chromium";
  return chromium.executablePath();
}

export const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
