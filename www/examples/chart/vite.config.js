// Addresses are relative, so that the built page may lie in any folder.
import { defineConfig } from "vite";

export default defineConfig({ base: "./" });
