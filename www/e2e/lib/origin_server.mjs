// The site's files from another origin, by a host that may do to some of them what hosts do.

import { createServer } from "node:http";

/**
 * What a host does to a file: another status, body, type or other headers; an end after half the bytes; no answer at all;
 * so many bytes a second.
 *
 * @typedef {{
 *   status?: number, body?: string | Buffer, type?: string, headers?: Record<string, string>,
 *   cut?: boolean, silent?: boolean, bytesPerSecond?: number
 * }} Fault
 */

/**
 * `{ url, requests, close }`. `requests` grows with every path asked for. `fault(path, count)` says what happens to the
 * `count`th answer to a path, from 1; it may be set later, and so may `isDown`: then nobody answers.
 *
 * @param {string} siteUrl
 * @param {{ fault?: (path: string, count: number) => Fault | undefined | false, host?: string }} options
 */
export async function originServer(siteUrl, { fault = () => undefined, host = "127.0.0.1" } = {}) {
  /** @type {string[]} */
  const requests = [];
  const server = createServer(async ({ url }, response) => {
    requests.push(url);
    const { status, body, type, headers, cut, silent, bytesPerSecond } =
      it.fault(url, requests.filter((path) => path === url).length) || {};
    if (silent) return;
    if (it.isDown) return void response.destroy();
    const answer = await fetch(new URL(url, siteUrl));
    const bytes = body === undefined ? Buffer.from(await answer.arrayBuffer()) : Buffer.from(body);
    response.writeHead(status ?? answer.status, {
      "Access-Control-Allow-Origin": "*",
      "Content-Type": type ?? answer.headers.get("Content-Type") ?? "application/octet-stream",
      "Content-Length": bytes.length,
      ...headers,
    });
    if (cut) {
      // Closed behind what was sent. A connection that is reset instead may lose even the head of the answer on its way.
      response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.end());
    } else if (bytesPerSecond) {
      await slowly(bytes, bytesPerSecond, response);
    } else {
      response.end(bytes);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  const it = { url: `http://${host}:${port}/`, requests, fault, isDown: false, close };
  return it;
}

/** Ten portions a second. */
async function slowly(bytes, bytesPerSecond, response) {
  const portion = Math.ceil(bytesPerSecond / 10);
  for (let at = 0; at < bytes.length && !response.destroyed; at += portion) {
    response.write(bytes.subarray(at, at + portion));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  response.end();
}
