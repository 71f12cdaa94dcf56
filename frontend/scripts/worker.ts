// Builds the service worker beside the app, with the list of the files it keeps: what the named views need, no more.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build, type Plugin, type ResolvedConfig } from "vite";

/** Views one can read without a network, and what they fetch later by themselves. */
const OFFLINE = [
  "src/app/main.ts",
  "src/app/MissingView.vue",
  "src/app/layout/LayoutMain.vue",
  "src/app/offline/keeping.ts",
  "src/app/offline/WorkerNews.vue",
  "src/features/account/LoginView.vue",
  "src/features/dashboard/DashboardView.vue",
  "src/features/tickets/TicketListView.vue",
  "src/features/tickets/TicketDetailView.vue",
  "src/features/tickets/MyRequestsView.vue",
  "src/features/approvals/ApprovalQueueView.vue",
  "src/features/tickets/index.ts",
  "src/shared/lib/markdown.ts",
  "src/shared/ui/MenuPanel.vue",
];

interface Chunk {
  type: string;
  fileName: string;
  imports?: string[];
  moduleIds?: string[];
  viteMetadata?: { importedCss?: Set<string> };
}

/** The files a set of modules needs, with all they import. */
export function filesOf(modules: readonly string[], chunks: readonly Chunk[]): string[] {
  const byName = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const found = new Set<string>();
  const take = (name: string) => {
    const chunk = byName.get(name);
    if (!chunk || found.has(name)) return;
    found.add(name);
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
    for (const other of chunk.imports ?? []) take(other);
  };
  for (const module of modules) {
    const home = chunks.find((chunk) =>
      chunk.moduleIds?.some((id) => id.replace(/\?.*$/, "").endsWith(module)),
    );
    if (!home) throw new Error(`${module} is in no chunk: what is read without a network would miss it`);
    take(home.fileName);
  }
  return [...found].sort();
}

export function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  let files: string[] = [];
  let entry = "";
  return {
    name: "service-worker",
    apply: "build",
    configResolved: (resolved) => {
      config = resolved;
    },
    generateBundle(_, bundle) {
      const all = Object.values(bundle) as unknown as Chunk[];
      const chunks = all.filter((item) => item.type === "chunk");
      const main = chunks.find((chunk) => (chunk as { isEntry?: boolean }).isEntry);
      entry = `/${main?.fileName ?? ""}`;
      const styles = all.map((item) => item.fileName).filter((name) => /^assets\/index-.*\.css$/.test(name));
      files = [...new Set([...filesOf(OFFLINE, chunks), ...styles])].map((name) => `/${name}`);
    },
    async closeBundle() {
      if (!files.length) return; // the build itself failed, and says so
      const folder = config.publicDir;
      const own = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((item) => item.isFile())
        .map((item) => join(item.parentPath, item.name));
      const kept = ["/", ...own.map((path) => `/${relative(folder, path)}`).sort(), ...files];
      const hash = createHash("sha256").update(kept.join("\n"));
      for (const path of [...own.sort(), join(config.build.outDir, "index.html")])
        hash.update(readFileSync(path));
      await build({
        configFile: false,
        root: config.root,
        logLevel: "warn",
        publicDir: false,
        define: {
          __FILES__: JSON.stringify(kept),
          __BUILD__: JSON.stringify(hash.digest("hex").slice(0, 12)),
          __ENTRY__: JSON.stringify(entry),
        },
        build: {
          target: config.build.target as string,
          outDir: config.build.outDir,
          emptyOutDir: false,
          copyPublicDir: false,
          lib: {
            entry: join(config.root, "src/sw.ts"),
            formats: ["iife"],
            name: "sw",
            fileName: () => "sw.js",
          },
        },
      });
    },
  };
}
