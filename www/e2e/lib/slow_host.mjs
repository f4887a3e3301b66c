// A static host at the end of a slow line: one folder, compressed as hosts compress, through one line for all connections.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".jsonl": "application/x-ndjson",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};
/** What is sent at once: shorter than a step of the clock on the fastest of slow lines. */
const PORTION_BYTES = 1400;
/** Files with a hash in their names never change. */
const HASHED = /\.[0-9a-f]{10}\./;

/** What goes there and back before anything can be asked: for the connection itself and for its encryption. */
const TRIPS_TO_CONNECT = 2;
/** So far the line may be behind its time, as timers that wake late leave it, and make up for it. */
const LATE_MS = 50;

/**
 * `{ url, sent_bytes, close }`; `sent_bytes` grows. Every request waits for a round trip, the first one also for those
 * that connecting takes: later ones find a connection, as with HTTP/2. No `line` is as fast as the machine.
 *
 * @param {string} folder
 * @param {{ bits_per_s: number, round_trip_ms: number } | null} line
 */
export async function slowHost(folder, line) {
  const packed = new Map();
  let connects = true;
  let freeAt = 0;
  const server = createServer(async ({ url, headers }, response) => {
    const trips = connects ? 1 + TRIPS_TO_CONNECT : 1;
    connects = false;
    if (line) await delay(line.round_trip_ms * trips);
    const { pathname } = new URL(url, "http://localhost");
    const path = normalize(decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname));
    if (!packed.has(path)) packed.set(path, await read(join(folder, path)));
    const file = packed.get(path);
    if (!file) return void response.writeHead(404).end();
    const { bytes, head } = file;
    if (headers["if-none-match"] === head.ETag) return void response.writeHead(304, head).end();
    response.writeHead(200, { ...head, "Content-Length": bytes.length });
    for (let at = 0; at < bytes.length && !response.destroyed; at += PORTION_BYTES) {
      const portion = bytes.subarray(at, at + PORTION_BYTES);
      if (line) {
        freeAt = Math.max(freeAt, performance.now() - LATE_MS) + (8000 * portion.length) / line.bits_per_s;
        if (freeAt > performance.now()) await delay(freeAt - performance.now());
      }
      it.sent_bytes += portion.length;
      response.write(portion);
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  const it = { url: `http://127.0.0.1:${port}/`, sent_bytes: 0, close };
  return it;
}

/** A file as it goes over the line, with its headers; null where there is none. */
async function read(path) {
  const plain = await readFile(path).catch(() => null);
  if (!plain) return null;
  const type = TYPES[extname(path)];
  const head = {
    "Content-Type": type ?? "application/octet-stream",
    "Cache-Control": HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
    ETag: `"${plain.length}"`,
  };
  const gzip = type && gzipSync(plain);
  return gzip ? { bytes: gzip, head: { ...head, "Content-Encoding": "gzip" } } : { bytes: plain, head };
}
