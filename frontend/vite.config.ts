import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ui from "@nuxt/ui/vite";
import vue from "@vitejs/plugin-vue";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { serviceWorker } from "./scripts/worker.ts";

// Besides those named in templates and in code: what ticket types may carry.
const CATALOGUE =
  "banknote building calendar car clipboard-list coffee credit-card file-text gift globe graduation-cap headphones " +
  "heart-pulse house inbox key laptop lightbulb mail map-pin monitor package phone plane printer receipt server shield " +
  "shopping-cart smartphone truck users utensils wifi wrench life-buoy";
// What code names and no template does: the scan below looks at templates only.
const SOURCES = fileURLToPath(new URL("./src", import.meta.url));
const NAMED_IN_CODE = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith(join("api", "generated")))
  .flatMap((file) => readFileSync(join(SOURCES, file), "utf8").match(/(?<=i-lucide-)[a-z0-9-]+/g) ?? []);
const BUNDLED = [...new Set([...NAMED_IN_CODE, ...CATALOGUE.split(" ")])].map((name) => `lucide:${name}`);
const HOVER = {
  primary: "hover:bg-primary/90 active:bg-primary/90",
  error: "hover:bg-error/90 active:bg-error/90",
};
const SCRIM = "bg-slate-950/45 dark:bg-black/65";
const backend = process.env.BACKEND ?? "http://127.0.0.1:8000";

// Nuxt UI would write the colours into the page at run time, which our Content-Security-Policy forbids: they stand in
// styles/tokens.css instead. With them goes the manager of the page's head, which nothing else uses.
const noRuntimeColours: NonNullable<ViteUserConfig["plugins"]>[number] = {
  name: "no-runtime-colours",
  enforce: "pre",
  load: (id) =>
    /\/@nuxt\/ui\/dist\/runtime\/(plugins\/colors|vue\/plugins\/head)\.js(\?|$)/.test(id)
      ? "export default { install() {} };"
      : null,
};

export default defineConfig({
  plugins: [
    noRuntimeColours,
    vue(),
    ui({
      ui: {
        colors: { primary: "indigo", neutral: "slate" },
        button: {
          slots: { base: ["disabled:opacity-45 aria-disabled:opacity-45"] },
          // Under the pointer the words still stand out enough from a fill that is paler.
          compoundVariants: (["primary", "error"] as const).map((color) => ({
            color,
            variant: "solid",
            class: HOVER[color],
          })),
        },
        formField: { slots: { error: "mt-1.5 first-letter:uppercase", help: "mt-1.5 text-xs" } },
        // The words keep clear of the button that closes.
        modal: { slots: { wrapper: "pe-8" }, variants: { overlay: { true: { overlay: SCRIM } } } },
        toast: { slots: { close: "p-1" } },
        slideover: { slots: { wrapper: "pe-8", overlay: SCRIM, footer: "justify-end" } },
      },
      // Icons travel with the bundle; otherwise the app would ask a public service for them.
      icon: { clientBundle: { scan: true, icons: BUNDLED } },
      experimental: { componentDetection: true },
      colorMode: false,
    }),
    serviceWorker(),
  ],
  // Of vue-i18n only what is used: no options API, no dev tools.
  define: { __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 700 },
  server: { proxy: { "/api": backend } },
  test: {
    // One that needs a page says so in its first line: making one for each file took longer than all tests.
    environment: "node",
    maxWorkers: 2,
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/testing.ts"],
    server: { deps: { inline: [/@nuxt\/ui/] } },
  },
});
