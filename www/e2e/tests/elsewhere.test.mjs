// Embedded from another origin: a page needs one script and one tag, and everything else comes from where the script is.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { originServer } from "../lib/origin_server.mjs";
import { pageServer } from "../lib/page_server.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

test("a figure whose files lie on another origin runs", async (t) => {
  const elsewhere = await originServer(site.url);
  t.after(elsewhere.close);
  const host = await pageServer(`<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,">
    <script type="module" src="${elsewhere.url}assets/element.js"></script>
    <moe-playground><p>The first paint.</p></moe-playground>`);
  t.after(host.close);
  const { page, figure, problems } = await openFigure(site, t, { path: host.url, newTokens: null });
  const { header, steps } = await figure.finished();
  assert.match(header.origin.source, /^live/);
  assert.ok(steps.length > 1);
  assert.match(page.workers()[0].url(), /^blob:/, "browsers start no worker of another origin");
  const origins = await page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin),
  );
  assert.deepEqual(
    [...new Set(origins)].filter((origin) => origin !== new URL(elsewhere.url).origin && origin !== "null"),
    [],
  );
  assert.deepEqual(problems, []);
});
