import { defineConfig } from "vite";

// Addresses relative to the page, so that it may lie in any folder.
export default defineConfig({ base: "./" });
