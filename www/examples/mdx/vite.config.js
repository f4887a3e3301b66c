// Markdown becomes a module; addresses are relative, so that the built page may lie in any folder.
import mdx from "@mdx-js/rollup";
import { defineConfig } from "vite";

export default defineConfig({ base: "./", plugins: [{ enforce: "pre", ...mdx() }] });
