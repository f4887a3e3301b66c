// Addresses are relative, so that the built page may lie in any folder.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({ base: "./", plugins: [react()] });
