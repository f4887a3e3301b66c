#!/usr/bin/env node
// Serves the whole page to this machine's browser: the package's own files, and nothing else. Or copies what the element
// loads, for pages whose bundler packs its script into one of its own.

import { createReadStream } from "node:fs";
import { cp, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, resolve, sep } from "node:path";
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

/** What the element loads, and the pages that its links and frames lead to; all finds each other by where it lies. */
const SERVED = ["assets", "lessons", "models", "traces", "index.html", "embed.html", "embed.js", "site.css", "site.js"];

const HELP = `moe-playground [--port NUMBER]   serves the page on this machine; without a number on port 8080
moe-playground copy FOLDER       copies what the element loads; the page says MoePlayground.assets = "FOLDER/assets/"`;

const { port, help, into } = options();
if (help) {
  console.log(HELP);
  process.exit(0);
}
if (into !== undefined) {
  for (const name of SERVED) await cp(join(FOLDER, name), join(into, name), { recursive: true });
  console.log(`The element's files are in ${resolve(into)}`);
  process.exit(0);
}

function options() {
  try {
    const { values, positionals } = parseArgs({
      options: { port: { type: "string", default: "8080" }, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
    });
    const { port, help } = values;
    const [command, into, ...more] = positionals;
    if (help) return { help };
    if (command !== undefined && (command !== "copy" || !into || more.length > 0)) throw new Error(HELP);
    if (/^\d{1,5}$/.test(port) && Number(port) < 65536) return { port, into };
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
