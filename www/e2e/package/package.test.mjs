// The npm package as `cargo xtask package` writes it, packed and installed in an empty project: it can be imported
// anywhere, it shows a live figure from where it lies, and it serves the whole page by itself.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { Figure } from "../lib/figure.mjs";
import { record } from "../lib/record.mjs";
import { suite } from "../lib/suite.mjs";
import { emptyProject, run } from "./project.mjs";

const site = suite();

/** An empty project with the package in it. */
let empty;
let project;

before(async () => {
  empty = await emptyProject();
  project = empty.folder;
});

after(() => empty?.remove());

/** The program of the package on a free port: `{ url }`; ended with the test. */
async function served(t) {
  const program = spawn("npx", ["--offline", "moe-playground", "--port", "0"], { cwd: project, detached: true });
  // `npx` starts the program below itself.
  t.after(() => process.kill(-program.pid, "SIGTERM"));
  for await (const chunk of program.stdout) {
    const [url] = String(chunk).match(/http:\/\/127\.0\.0\.1:\d+\//) ?? [];
    if (url) return { url };
  }
  throw new Error("the program ended without an address");
}

const prepare = async (page) => {
  page.setDefaultTimeout(120_000);
  await page.addInitScript(record);
};

test("it may be imported where there are no elements", async () => {
  const code = 'const it = await import("moe-playground"); console.log(typeof it.MoePlayground)';
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: project });
  assert.equal(stdout.trim(), "function");
});

test("its types and its manifest are found", async () => {
  const code = `
    const { createRequire } = await import("node:module");
    const { readFileSync } = await import("node:fs");
    const require = createRequire(import.meta.url);
    const { types, exports } = require("moe-playground/package.json");
    const at = (path) => readFileSync(new URL(path, "file://" + require.resolve("moe-playground/package.json")), "utf8");
    console.log(at(types).includes("class MoePlayground"), at(exports["./types"].types).includes("StepTrace"));
    console.log(require("moe-playground/custom-elements.json").modules[0].path);`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: project });
  assert.equal(stdout.trim(), "true true\nassets/element.js");
});

test("its program serves the whole page, live, and nothing outside of the package", async (t) => {
  const { url } = await served(t);
  const { page, problems } = await site.open(t, url, { prepare });
  const figure = new Figure(page);
  await figure.live();
  await figure.finished();
  assert.ok((await figure.tokens.count()) > 0);
  assert.deepEqual(problems, []);
  for (const path of ["..%2f..%2fpackage.json", "%2e%2e/%2e%2e/package.json", "%00", "%E0%A4%A"]) {
    const answer = await fetch(url + path);
    assert.ok(answer.status === 404 || !(await answer.text()).includes('"empty"'), path);
  }
  assert.equal((await fetch(url, { method: "POST" })).status, 404);
});

test("a page of the project shows a live figure from the package's files", async (t) => {
  const { url } = await served(t);
  const { page, problems } = await site.open(t, new URL("article.html", url).href, {
    prepare: async (page) => {
      await prepare(page);
      await page.route("**/article.html", (route) =>
        route.fulfill({
          contentType: "text/html; charset=utf-8",
          body: `<!doctype html><link rel="icon" href="data:,"><title>An article</title>
            <script type="module" src="/assets/element.js"></script>
            <moe-playground view="lanes" controls="capacity run" max-tokens="2"><p>No figure.</p></moe-playground>`,
        }),
      );
    },
  });
  const figure = new Figure(page);
  await figure.live();
  const { header } = await figure.finished();
  assert.match(header.origin.source, /^live_/);
  assert.ok((await figure.panel("lanes").locator(".lane").count()) > 0);
  assert.deepEqual(problems, []);
});

test("its program copies what a page serves, and knows no other command", async () => {
  const copy = (...words) => run("npx", ["--offline", "moe-playground", "copy", ...words], { cwd: project });
  await copy("served/figures");
  const loaded = ["assets/element.js", "assets/figure_bg.wasm", "models/default/manifest.json", "traces/default.jsonl"];
  for (const file of [...loaded, "index.html"]) await access(join(project, "served/figures", file));
  await assert.rejects(copy(), /copies what the element loads/);
  await assert.rejects(copy("one", "two"), /copies what the element loads/);
});
