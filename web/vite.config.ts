import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `vite` in development finds the API: a control plane that runs. */
const api = process.env["HEADGATE_URL"] ?? "http://127.0.0.1:3000";
/** The API refuses requests that come from another origin, which the development server is. */
const proxied = { target: api, changeOrigin: true, headers: { origin: new URL(api).origin } };

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [react()],
  resolve: {
    alias: {
      "@headgate/layout": fileURLToPath(new URL("../shared/layout/src/index.ts", import.meta.url)),
      "@headgate/model": fileURLToPath(new URL("../shared/model/src/index.ts", import.meta.url)),
    },
  },
  build: {
    target: "es2022",
    // Not "assets": that is a page.
    assetsDir: "static",
    // The policy allows no data: URLs but for images, and a small font is a font.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    license: { fileName: "static/licenses.md" },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": proxied, "/healthz": proxied, "/readyz": proxied, "/openapi.json": proxied } },
});
