#!/usr/bin/env node
// Serves the whole page to this machine's browser: the package's own files, and nothing else.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".jsonl": "application/x-ndjson",
  ".md": "text/markdown; charset=utf-8",
  ".wasm": "application/wasm",
};

const { port, help } = options();
if (help) {
  console.log("moe-playground [--port NUMBER]   serves the page on this machine; without a number on port 8080");
  process.exit(0);
}

function options() {
  try {
    const { values } = parseArgs({
      options: { port: { type: "string", default: "8080" }, help: { type: "boolean", short: "h" } },
    });
    const { port, help } = values;
    if (/^\d{1,5}$/.test(port) && Number(port) < 65536) return { port, help };
    throw new Error(`--port is ${port}, not a number from 0 to 65535.`);
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exit(2);
  }
}

/** The file at an address, if it is one of the package's. */
async function fileAt(url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return null;
  }
  const file = join(FOLDER, normalize(path.endsWith("/") ? `${path}index.html` : path));
  if (!file.startsWith(FOLDER.endsWith(sep) ? FOLDER : FOLDER + sep)) return null;
  const facts = await stat(file).catch(() => null);
  return facts?.isFile() ? { file, length: facts.size } : null;
}

const server = createServer(async ({ url, method }, response) => {
  const found = method === "GET" || method === "HEAD" ? await fileAt(url) : null;
  if (!found) return response.writeHead(404, { "Content-Type": "text/plain" }).end("There is no such file.\n");
  response.writeHead(200, {
    "Content-Type": TYPES[extname(found.file)] ?? "application/octet-stream",
    "Content-Length": found.length,
    "Cache-Control": "no-cache",
  });
  if (method === "HEAD") return response.end();
  createReadStream(found.file)
    .on("error", () => response.destroy())
    .pipe(response);
});

server.on("error", (error) => {
  const isTaken = "code" in error && error.code === "EADDRINUSE";
  console.error(isTaken ? `Port ${port} is in use. Try --port with another number.` : error.message);
  process.exit(1);
});
server.listen(Number(port), "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`MoE Playground is on http://127.0.0.1:${port}/   (Ctrl+C ends it)`);
});
