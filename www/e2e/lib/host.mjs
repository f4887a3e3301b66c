// Somebody's page of another origin with a figure in it, whose files come from a third.

import { openFigure } from "./figure.mjs";
import { originServer } from "./origin_server.mjs";
import { pageServer } from "./page_server.mjs";

/**
 * Opens a page of another origin with this body, behind these headers; the element's script is in its head.
 *
 * @param {{ url: string, open: Function }} site
 * @param {import("node:test").TestContext} t
 * @param {string} body
 * @param {{ headers?: object, head?: string, [option: string]: unknown }} options
 */
export async function openHost(site, t, body, { headers = {}, head = "", ...options } = {}) {
  const assets = await originServer(site.url);
  t.after(assets.close);
  const at = (text) => text.replaceAll("https://assets.example/", assets.url);
  const values = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, at(value)]));
  const script = `<script type="module" src="${assets.url}assets/element.js"></script>`;
  const host = await pageServer(
    `<!doctype html><title>A host</title><link rel="icon" href="data:,">${at(head)}${script}<body>${at(body)}`,
    values,
  );
  t.after(host.close);
  return { ...(await openFigure(site, t, { path: host.url, ...options })), assets };
}
