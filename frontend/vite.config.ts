import { fileURLToPath } from "node:url";
import ui from "@nuxt/ui/vite";
import vue from "@vitejs/plugin-vue";
import { defineConfig, type ViteUserConfig } from "vitest/config";

// Besides those named in templates: of the navigation, and what ticket types may carry.
const CATALOGUE =
  "banknote building calendar car clipboard-list coffee credit-card file-text gift globe graduation-cap headphones " +
  "heart-pulse house inbox key laptop lightbulb mail map-pin monitor package phone plane printer receipt server shield " +
  "shopping-cart smartphone truck users utensils wifi wrench life-buoy";
const BUNDLED = ["layout-dashboard", "stamp", "plus", ...CATALOGUE.split(" ")].map(
  (name) => `lucide:${name}`,
);
const backend = process.env.BACKEND ?? "http://127.0.0.1:8000";

// Nuxt UI would write the colours into the page at run time, which our Content-Security-Policy forbids: they stand in
// styles/tokens.css instead.
const noRuntimeColours: NonNullable<ViteUserConfig["plugins"]>[number] = {
  name: "no-runtime-colours",
  enforce: "pre",
  load: (id) =>
    id.split("?")[0]?.endsWith("/@nuxt/ui/dist/runtime/plugins/colors.js")
      ? "export default { install() {} };"
      : null,
};

export default defineConfig({
  plugins: [
    noRuntimeColours,
    vue(),
    ui({
      ui: { colors: { primary: "indigo", neutral: "slate" } },
      // Icons travel with the bundle; otherwise the app would ask a public service for them.
      icon: { clientBundle: { scan: true, icons: BUNDLED } },
      experimental: { componentDetection: true },
      colorMode: false,
    }),
  ],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: { target: "es2022", sourcemap: false, chunkSizeWarningLimit: 700 },
  server: { proxy: { "/api": backend } },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
    setupFiles: ["src/testing.ts"],
    server: { deps: { inline: [/@nuxt\/ui/] } },
  },
});
