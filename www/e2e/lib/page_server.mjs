// A host with one page and nothing else: somebody's own site, of another origin than the playground's.

import { createServer } from "node:http";

/** `{ url, close }` of a server that answers everything with this page, and with these headers. */
export async function pageServer(html, headers = {}) {
  const type = { "Content-Type": "text/html; charset=utf-8" };
  const server = createServer((_, response) => response.writeHead(200, { ...type, ...headers }).end(html));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/`, close };
}
