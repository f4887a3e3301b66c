// The site's files from another origin, by a host that may cut off some of its answers.

import { createServer } from "node:http";

/**
 * `{ url, requests, close }`. With `cut`, the first answer to a path that matches it ends after half its bytes, with the
 * connection. `requests` grows with every path asked for.
 *
 * @param {string} siteUrl
 * @param {{ cut?: RegExp }} options
 */
export async function originServer(siteUrl, { cut } = {}) {
  const requests = [];
  let isCut = false;
  const server = createServer(async ({ url }, response) => {
    requests.push(url);
    const answer = await fetch(new URL(url, siteUrl));
    const body = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get("Content-Type") ?? "application/octet-stream";
    response.writeHead(answer.status, {
      "Access-Control-Allow-Origin": "*",
      "Content-Type": type,
      "Content-Length": body.length,
    });
    if (cut?.test(url) && !isCut) {
      isCut = true;
      response.write(body.subarray(0, body.length / 2), () => response.destroy());
    } else {
      response.end(body);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/`, requests, close };
}
