// One origin for all engines: an empty page, the modules that drive them, their packages and models, and for everything
// else the site. It sends no headers that would give a page several threads.

import { createReadStream, statSync } from "node:fs";
import { createServer, request } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const TYPES = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** The page of a peer: what drives it is imported when it is measured. */
const PAGE = '<!doctype html><title>peer</title><link rel="icon" href="data:,">';

/** `{ url, paths, close }` of a server of these pages, of the models in a folder and of the site. `paths`
 *  grows with what is asked for. */
export async function peerServer(siteUrl, modelsFolder) {
  const folders = { "/peers/": HERE, "/packages/": join(HERE, "node_modules"), "/models/peers/": modelsFolder };
  const paths = new Set();
  const server = createServer((asked, response) => {
    const path = normalize(decodeURIComponent(new URL(asked.url, siteUrl).pathname));
    paths.add(path);
    if (path === "/peer.html") return void response.writeHead(200, { "Content-Type": "text/html" }).end(PAGE);
    const place = Object.keys(folders).find((place) => path.startsWith(place));
    if (place) return file(join(folders[place], path.slice(place.length)), response);
    const onward = request(new URL(asked.url, siteUrl), { method: asked.method }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    onward.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/`, paths, close };
}

function file(path, response) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile()) return void response.writeHead(404).end();
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  response.writeHead(200, { "Content-Type": type, "Content-Length": stats.size, "Cache-Control": "no-cache" });
  createReadStream(path).pipe(response);
}
