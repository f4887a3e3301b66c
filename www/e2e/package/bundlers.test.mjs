// The npm package in pages that a bundler makes: the examples of `www/examples`, built as their readers build them, and
// opened as a static host serves them.

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";
import { createServer } from "vite";

import { Figure } from "../lib/figure.mjs";
import { folderServer } from "../lib/folder_server.mjs";
import { record } from "../lib/record.mjs";
import { suite } from "../lib/suite.mjs";
import { emptyProject, exampleProject, run } from "./project.mjs";

const site = suite();

let project;
let react;
let mdx;
let chart;

before(async () => {
  project = await emptyProject();
  react = await exampleProject(project.folder, "react");
  mdx = await exampleProject(project.folder, "mdx");
  chart = await exampleProject(project.folder, "chart");
});

after(() => project?.remove());

/** Opens what a bundler wrote into a folder. */
async function openFolder(t, folder) {
  const host = await folderServer(folder);
  t.after(host.close);
  return openPage(t, host.url);
}

const openPage = (t, url) =>
  site.open(t, url, {
    prepare: async (page) => {
      page.setDefaultTimeout(120_000);
      await page.addInitScript(record);
    },
  });

/** The article in React: its figure is live, follows the properties, and its events reach the text. */
async function followsItsFigure({ page, problems }) {
  const figure = new Figure(page);
  await figure.live();
  const told = page.locator("output");
  const live = /^Of (\d+) requests (\d+) were turned away \(live\)\.$/;
  await told.filter({ hasText: live }).waitFor();
  assert.equal(await figure.host.getAttribute("capacity-factor"), "1", "a property");
  assert.equal(await figure.host.getAttribute("max-tokens"), "0");

  const before = (await page.evaluate(() => window.moe.steps.at(-1))).detail.run;
  await page.getByRole("slider").fill("0.5");
  await figure.step(0, { after: before });
  const { steps } = await figure.trace();
  const requests = steps[0].layers.flatMap(({ routing }) => routing.assignments);
  const lost = requests.filter(({ fate }) => fate === "lost").length;
  assert.ok(lost > 0, "half of an even share is too little");
  await told.filter({ hasText: `Of ${requests.length} requests ${lost} were turned away (live).` }).waitFor();
  assert.deepEqual(problems, []);
}

test("React by Vite: a live figure, properties in, events out", async (t) => {
  await react.script("build");
  const folder = join(react.folder, "dist");
  await followsItsFigure(await openFolder(t, folder));
  const scripts = (await readdir(join(folder, "assets"))).filter((name) => name.endsWith(".js"));
  assert.equal(scripts.length, 1, "the element's own modules stay in their folder");
});

test("React by esbuild: the same page", async (t) => {
  const folder = join(react.folder, "by-esbuild");
  await build({
    entryPoints: [join(react.folder, "src/main.jsx")],
    bundle: true,
    format: "esm",
    jsx: "automatic",
    minify: true,
    outdir: join(folder, "src"),
    logLevel: "error",
  });
  await run("npx", ["--offline", "moe-playground", "copy", join(folder, "moe-playground")], { cwd: project.folder });
  const html = await readFile(join(react.folder, "index.html"), "utf8");
  const style = '<link rel="stylesheet" href="src/main.css"></head>';
  const page = html.replace("/src/main.jsx", "src/main.js").replace("</head>", style);
  await writeFile(join(folder, "index.html"), page);
  await followsItsFigure(await openFolder(t, folder));
});

test("React in Vite's development server, which packs dependencies anew", async (t) => {
  await react.script("predev");
  const server = await createServer({ root: react.folder, logLevel: "error", server: { port: 0, host: "127.0.0.1" } });
  t.after(() => server.close());
  await server.listen();
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.httpServer.address());
  const { page } = await openPage(t, `http://127.0.0.1:${port}/`);
  assert.match((await new Figure(page).live()).source, /^live_/);
});

test("what a bundler adds to a page is a few kilobytes", async () => {
  const code = 'import { MoePlayground } from "moe-playground"; MoePlayground.assets = "elsewhere/";';
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: project.folder },
    bundle: true,
    format: "esm",
    minify: true,
    write: false,
  });
  const [{ contents }] = outputFiles;
  assert.ok(gzipSync(contents).length < 5000, `${gzipSync(contents).length} bytes with gzip`);
});

test("an article in MDX by Vite: figures between the paragraphs", async (t) => {
  await mdx.script("build");
  const { page, problems } = await openFolder(t, join(mdx.folder, "dist"));
  const [recorded, choice] = [new Figure(page, "moe-playground >> nth=0"), page.locator("moe-playground").nth(1)];
  await recorded.host.locator(".panel-lanes .lane").first().waitFor();
  assert.equal(await page.locator("h1").textContent(), "Who is served when not everybody can be?");
  await choice.scrollIntoViewIfNeeded();
  await choice.locator(".panel-lanes .lane").first().waitFor();
  assert.equal(await page.evaluate(() => window.moe.ready.some(({ source }) => source.startsWith("live"))), false);
  assert.ok(await page.locator("moe-playground em").first().isHidden(), "the tag's own content has made way");
  assert.deepEqual(problems, []);
});

test("a chart of another library is drawn from a figure's events", async (t) => {
  await chart.script("build");
  const { page, problems } = await openFolder(t, join(chart.folder, "dist"));
  const figure = new Figure(page);
  await figure.live();
  /** The table's row of the latest run, and what the run itself says. */
  const ends = async (number) => {
    const row = page.locator("tbody tr").nth(number);
    await row.waitFor();
    const { header, steps } = await figure.trace();
    const last = steps.at(-1);
    const requests = last.layers.flatMap(({ routing }) => routing.assignments);
    const share = (100 * requests.filter(({ fate }) => fate === "lost").length) / requests.length;
    const { factor } = header.request.routing.overflow;
    const expected = [String(factor), String(last.tokens.length), `${share.toFixed(1)} %`];
    assert.deepEqual(await row.locator("td").allTextContents(), expected);
    return share;
  };
  const before = await ends(0);
  await page.getByRole("slider").fill("0.5");
  assert.ok((await ends(1)) > before, "less room, more losses");
  const colours = await page.locator("canvas").evaluate((canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    const pixels = /** @type {HTMLCanvasElement} */ (canvas).getContext("2d").getImageData(0, 0, width, height).data;
    const [red, blue] = [
      [192, 57, 27],
      [59, 91, 146],
    ];
    const has = (colour) =>
      pixels.some((_, at) => at % 4 === 0 && colour.every((part, of) => pixels[at + of] === part));
    return [has(red), has(blue)];
  });
  assert.deepEqual(colours, [true, true], "a line for each run");
  assert.deepEqual(problems, []);
});

test("a page that is rendered on a server has the tag and its content", async () => {
  const code = `
    import { MoePlayground } from "moe-playground";
    import { createElement } from "react";
    import { renderToString } from "react-dom/server";
    MoePlayground.assets = "/moe-playground/assets/";
    const figure = { view: "lanes", "capacity-factor": 0.5 };
    console.log(renderToString(createElement("moe-playground", figure, createElement("p", null, "A figure."))));`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", code], { cwd: react.folder });
  assert.equal(stdout.trim(), '<moe-playground view="lanes" capacity-factor="0.5"><p>A figure.</p></moe-playground>');
});
