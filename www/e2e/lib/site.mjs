// The site under test: the one that MOE_URL names, or a server of the working tree started here.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** `{ url, close }`; the address ends in a slash. Nothing is built: `cargo xtask build` does that. */
export async function openSite() {
  if (process.env.MOE_URL) return { url: process.env.MOE_URL, close() {} };
  const server = spawn("cargo", ["xtask", "serve", "--no-build", "--port", "0"], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
    // Cargo passes a signal on to what it runs only within a group of its own.
    detached: true,
  });
  const close = () => {
    try {
      process.kill(-server.pid);
    } catch {
      // It has ended already.
    }
  };
  process.once("exit", close);
  for await (const line of createInterface({ input: server.stdout })) {
    const url = line.match(/http:\/\/\S+/)?.[0];
    if (url) return { url, close };
  }
  throw new Error("`cargo xtask serve` ended without an address");
}
