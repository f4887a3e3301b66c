// The files as a static host serves them: types that browsers insist on, open to other origins, and none of the headers that an ordinary host lacks.

import assert from "node:assert/strict";
import { test } from "node:test";

import { suite } from "../lib/suite.mjs";

const site = suite();

test("scripts, styles and wasm have their types", async (t) => {
  const { page } = await site.open(t, "404.html");
  const responses = [];
  page.on("response", (response) => responses.push(response));
  await page.goto(site.url, { waitUntil: "networkidle" });
  const types = { html: /^text\/html/, js: /^text\/javascript/, css: /^text\/css/, wasm: /^application\/wasm$/ };
  const seen = new Set();
  for (const response of responses.filter((response) => response.url().startsWith("http"))) {
    const extension = new URL(response.url()).pathname.match(/\.(\w+)$/)?.[1] ?? "html";
    seen.add(extension);
    const headers = response.headers();
    if (types[extension]) assert.match(headers["content-type"], types[extension], response.url());
    for (const name of ["cross-origin-opener-policy", "cross-origin-embedder-policy"]) {
      assert.equal(headers[name], undefined, `${name} of ${response.url()}`);
    }
  }
  assert.deepEqual(
    Object.keys(types).filter((extension) => !seen.has(extension)),
    [],
    "all kinds were served",
  );
});

test("what is not there is not found, and no path leads out of the site", async () => {
  for (const path of [
    "nowhere",
    "assets/nowhere.js",
    "..%2f..%2fCargo.toml",
    "assets/..%2f..%2f..%2fCargo.toml",
    "%2fetc%2fpasswd",
  ]) {
    const response = await fetch(new URL(path, site.url));
    assert.equal(response.status, 404, path);
  }
});
