// A figure as a guest on somebody's page: what it asks for, what it keeps, and that it leaves the page's focus alone.

import assert from "node:assert/strict";
import { test } from "node:test";

import { holdBack } from "../lib/figure.mjs";
import { openHost } from "../lib/host.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const FIGURE = `<moe-playground view="strip lanes" controls="prompt run save" loading="eager" activate="auto" max-tokens="2">
  </moe-playground>`;

/** Databases, storages and cookies of the page's origin. */
const kept = (page) =>
  page.evaluate(async () => ({
    cookies: document.cookie,
    databases: (await indexedDB.databases()).map(({ name }) => name),
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    serviceWorkers: (await navigator.serviceWorker.getRegistrations()).length,
    caches: (await caches.keys()).sort(),
  }));

test("a figure asks for its own files alone, sends no cookies, and keeps nothing but the model and its engine", async (t) => {
  const requests = [];
  const { page, figure, assets, problems } = await openHost(site, t, FIGURE, {
    // No run of the test's own: all that is asked for is asked of the host of the files.
    newTokens: null,
    prepare: (page) => page.context().on("request", (request) => requests.push(request)),
  });
  const first = await figure.finished();
  await figure.run("Once upon a time");
  await figure.finished({ after: first.header.request.run });
  await figure.button("Save").click();
  await figure.host.getByRole("dialog", { name: "Save" }).waitFor();
  await page.waitForFunction(() => caches.has("moe-playground-models"));

  const addresses = requests.map((request) => request.url());
  const own = addresses.filter((url) => url.startsWith(assets.url));
  const others = addresses.filter((url) => !url.startsWith(assets.url) && !/^(blob|data):/.test(url));
  assert.deepEqual(others, [page.url()], "the page itself, and no other host");
  const paths = own.map((url) => new URL(url).pathname);
  for (const file of [/worker\.js$/, /\.wasm$/, /weights\.safetensors$/]) {
    assert.ok(
      paths.some((path) => file.test(path)),
      `requests of workers are counted: ${file}`,
    );
  }
  assert.deepEqual(
    paths.filter((path) => !/^\/(assets|models|traces|words)\//.test(path)),
    [],
  );
  // Nobody learns from an address what a reader typed.
  assert.deepEqual(
    own.filter((url) => /Once|upon/i.test(url)),
    [],
  );
  assert.ok(requests.every((request) => request.method() === "GET" && request.postData() === null));
  const sent = await Promise.all(requests.map((request) => request.allHeaders()));
  assert.deepEqual(
    sent.filter((headers) => "cookie" in headers),
    [],
  );

  const { caches, ...rest } = await kept(page);
  assert.deepEqual(rest, { cookies: "", databases: [], local: [], session: [], serviceWorkers: 0 });
  assert.deepEqual(caches, ["moe-playground-engine", "moe-playground-models"]);
  assert.deepEqual(problems, []);
});

test("a field of the page keeps the focus and what is typed while a figure loads, goes live and ends its run", async (t) => {
  let release = () => {};
  const { page, figure, problems } = await openHost(site, t, `<input id="field">${FIGURE}`, {
    prepare: async (page) => (release = await holdBack(page, "**/weights.safetensors")),
  });
  await page.evaluate(() => {
    window.moeFocus = [];
    document.addEventListener("focusout", ({ target }) =>
      window.moeFocus.push(`left ${/** @type {any} */ (target).id}`),
    );
    document.addEventListener("focusin", ({ target }) => window.moeFocus.push(`in ${/** @type {any} */ (target).id}`));
  });
  await page.locator("#field").focus();
  // Letters that are keys of the figure, too.
  const typed = ["dc", " x[", "], ", ".l"];
  await page.keyboard.type(typed[0]);
  await figure.tokens.first().waitFor();
  await page.keyboard.type(typed[1]);
  release();
  await figure.live();
  await page.keyboard.type(typed[2]);
  await figure.finished();
  await page.keyboard.type(typed[3]);
  assert.equal(await page.locator("#field").inputValue(), typed.join(""));
  assert.deepEqual(await page.evaluate(() => window.moeFocus), ["in field"], "the focus never moved");
  assert.deepEqual(problems, []);
});
