import { fileURLToPath } from "node:url";
import ui from "@nuxt/ui/vite";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vitest/config";

const backend = process.env.BACKEND ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [
    vue(),
    ui({
      ui: { colors: { primary: "indigo", neutral: "slate" } },
      // Icons travel with the bundle; otherwise the app would ask a public service for them.
      icon: { clientBundle: { scan: true } },
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
