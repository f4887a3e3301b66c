// A host whose connection breaks: it serves a site's files from another origin, and cuts the answers it is told to.

import { createServer } from "node:http";

/**
 * `{ url, requests, close }`. The first `numCut` answers to a path that matches `pattern` end after half their bytes,
 * with the connection. `requests` grows with every path asked for.
 */
export async function brokenServer(siteUrl, pattern, numCut) {
  const requests = [];
  let cutsLeft = numCut;
  const server = createServer(async ({ url }, response) => {
    requests.push(url);
    const answer = await fetch(new URL(url, siteUrl));
    const body = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get("Content-Type") ?? "application/octet-stream";
    response.writeHead(answer.status, { "Access-Control-Allow-Origin": "*", "Content-Type": type, "Content-Length": body.length });
    if (pattern.test(url) && cutsLeft > 0) {
      cutsLeft -= 1;
      response.write(body.subarray(0, body.length / 2), () => response.destroy());
    } else {
      response.end(body);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, requests, close };
}
