// The Python package: its wheel, installed; its widget's front end with a model that a test plays; and its example notebook,
// executed without a browser, exported as HTML, and opened as anybody opens it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Figure } from "../lib/figure.mjs";
import { folderServer } from "../lib/folder_server.mjs";
import { record } from "../lib/record.mjs";
import { suite } from "../lib/suite.mjs";

const run = promisify(execFile);
const site = suite();

const PACKAGE = fileURLToPath(new URL("../../packages/moe-playground-jupyter", import.meta.url));
const PYTHON = process.env.MOE_PYTHON;

/** A folder with the wheel, what it installs, and what is made with it. */
let folder;
let wheel;

/** Python with the package that the wheel installed, and the element of the site under test. */
const python = (words, options = {}) => {
  const env = {
    ...process.env,
    PYTHONPATH: join(folder, "installed"),
    PYTHONDONTWRITEBYTECODE: "1",
    MOE_PLAYGROUND_SRC: `${site.url}assets/element.js`,
  };
  return run(PYTHON, words, { env, ...options });
};

before(async () => {
  assert.ok(PYTHON, "MOE_PYTHON names a Python with the packages of requirements.txt");
  folder = await mkdtemp(join(tmpdir(), "moe-playground-notebook-"));
  const pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"];
  await python([...pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, PACKAGE]);
  const [name] = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
  wheel = join(folder, name);
  await python([...pip, "install", "--no-deps", "--no-index", "--target", join(folder, "installed"), wheel]);
});

after(() => folder && rm(folder, { recursive: true, force: true }));

test("the wheel is small: the figure comes from its address", async () => {
  assert.ok((await stat(wheel)).size < 30_000);
});

test("traces, tables and traits, in Python alone", async () => {
  const { stderr } = await python(["-m", "unittest", "discover", "--start-directory", join(PACKAGE, "tests")]);
  assert.match(stderr, /Ran \d+ tests[\s\S]*\nOK/);
});

/** Opens a page with the widget's front end and a model, `window.moeModel`, that stands for Python's side. */
async function openWidget(t, traits) {
  const opened = await site.open(t, "notebook.html", {
    prepare: async (page) => {
      page.setDefaultTimeout(120_000);
      await page.addInitScript(record);
      const html = '<!doctype html><link rel="icon" href="data:,"><title>A notebook</title><div id="output"></div>';
      await page.route("**/notebook.html", (route) => route.fulfill({ contentType: "text/html", body: html }));
      const body = await readFile(join(PACKAGE, "src/moe_playground/widget.js"), "utf8");
      await page.route("**/widget.js", (route) => route.fulfill({ contentType: "text/javascript", body }));
    },
  });
  const code = `
import json
from moe_playground import MoEPlayground
state = MoEPlayground(**json.loads(${JSON.stringify(JSON.stringify(traits))})).get_state()
print(json.dumps({name: value for name, value in state.items() if name in state["_attributes"] or name in
  ("src", "_shown", "_attributes", "source", "error")}))`;
  const { stdout } = await python(["-c", code]);
  await opened.page.evaluate(async (state) => {
    const listeners = new Map();
    const of = (event) => listeners.get(event) ?? listeners.set(event, new Set()).get(event);
    const model = {
      state,
      sent: [],
      get: (name) => state[name],
      set(name, value) {
        if (state[name] === value) return;
        state[name] = value;
        for (const listener of of(`change:${name}`)) listener();
      },
      save_changes() {},
      send: (content) => model.sent.push(content),
      on: (event, listener) => of(event).add(listener),
      off: (event, listener) => of(event).delete(listener),
      message: (content) => of("msg:custom").forEach((listener) => void listener(content)),
      count: () => [...listeners.values()].reduce((count, { size }) => count + size, 0),
    };
    const { default: widget } = await import(new URL("widget.js", location.href).href);
    const end = await widget.render({ model, el: document.querySelector("#output") });
    Object.assign(window, { moeModel: model, moeEnd: end });
  }, JSON.parse(stdout));
  return { ...opened, figure: new Figure(opened.page) };
}

const trait = (page, name, value) =>
  page.waitForFunction(([name, value]) => window.moeModel.state[name] === value, [name, value]);

const shown = (page, attribute, value) =>
  page.waitForFunction(
    ([attribute, value]) => document.querySelector("moe-playground").getState()?.[attribute] === value,
    [attribute, value],
  );

test("traits and figure follow each other", async (t) => {
  const traits = { view: "strip lanes token", controls: "capacity", capacity_factor: 0.75, max_tokens: 0 };
  const { page, problems, figure } = await openWidget(t, traits);
  await figure.live();
  await trait(page, "source", "live_cpu");
  await page.waitForFunction(() => window.moeModel.sent.length > 0);

  // The reader moves the slider: Python knows. The run that follows is sent when it has ended.
  const sent = await page.evaluate(() => window.moeModel.sent.length);
  await figure.capacityFactor.fill("0.5");
  await trait(page, "capacity_factor", 0.5);
  await page.waitForFunction((sent) => window.moeModel.sent.length > sent, sent);
  const { type, text } = await page.evaluate(() => window.moeModel.sent.at(-1));
  const [header, step] = text.trim().split("\n").map(JSON.parse);
  assert.equal(type, "trace");
  assert.equal(header.request.routing.overflow.factor, 0.5);
  assert.equal(step.tokens.length, (await figure.trace()).steps[0].tokens.length);

  // Python goes back to what the tag has said all along, and on to something else.
  await page.evaluate(() => window.moeModel.set("capacity_factor", 0.75));
  await shown(page, "capacity-factor", "0.75");
  await page.evaluate(() => window.moeModel.set("capacity_factor", 2));
  await shown(page, "capacity-factor", "2");

  // A place, from either side.
  await figure.tokens.nth(3).click();
  await trait(page, "token", 3);
  await page.evaluate(() => window.moeModel.message({ type: "call", method: "seek", values: [{ token: 5 }] }));
  await figure.selected({ token: 5 });
  await trait(page, "token", 5);
  await page.evaluate(() => window.moeModel.set("token", 1));
  await figure.selected({ token: 1 });

  await page.evaluate(() => window.moeEnd());
  assert.equal(await page.evaluate(() => window.moeModel.count()), 0, "nothing is listened to any more");
  assert.equal(await page.locator("moe-playground").count(), 0);
  assert.deepEqual(problems, []);
});

test("an attribute that cannot be used, and an element that is not there, are told", async (t) => {
  const { page, figure } = await openWidget(t, { view: "strip", policy: "polite", backend: "recorded" });
  await figure.recorded();
  const told = await page.waitForFunction(() => window.moeModel.state.error?.what);
  assert.match(await told.jsonValue(), /policy/);

  const { page: other } = await openWidget(t, { src: new URL("assets/nowhere.js", site.url).href });
  const output = await other.locator("#output").textContent();
  assert.match(output, /^The figure could not be loaded from http.*nowhere\.js\. Check the connection/);
});

/** What exported notebooks load from public hosts, as its makers publish it; nothing leaves this machine. */
async function withoutNetwork(page) {
  const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
  /** @type {[RegExp, string | null][]} */
  const files = [
    [/\/require\.js\/.*\/require\.min\.js$/, join(modules, "requirejs/require.js")],
    [/html-manager@.*\/dist\/embed-amd\.js$/, join(modules, "@jupyter-widgets/html-manager/dist/embed-amd.js")],
    [/\/anywidget@.*\/dist\/index\.js$/, join(dirname(PYTHON), "../share/jupyter/nbextensions/anywidget/index.js")],
    // There are no formulas in the notebook.
    [/\/mathjax\//, null],
  ];
  await page.route(
    ({ hostname }) => hostname !== "127.0.0.1",
    async (route) => {
      const found = files.find(([pattern]) => pattern.test(route.request().url()));
      if (!found) return route.abort();
      const [, file] = found;
      return route.fulfill({ contentType: "text/javascript", body: file ? await readFile(file) : "" });
    },
  );
}

test("the example notebook, executed and exported, shows its figures", async (t) => {
  const made = join(folder, "made");
  await mkdir(made);
  const notebook = join(PACKAGE, "examples/routing.ipynb");
  await python(["-m", "nbconvert", "--execute", "--to", "html", "--output-dir", made, notebook]);
  const host = await folderServer(made);
  t.after(host.close);
  const { page, problems } = await site.open(t, `${host.url}routing.html`, {
    prepare: async (page) => {
      page.setDefaultTimeout(120_000);
      await page.addInitScript(record);
      await withoutNetwork(page);
    },
  });

  const [live, recorded] = [0, 1].map((at) => new Figure(page, `moe-playground >> nth=${at}`));
  await page.waitForFunction(() => window.moe.ready.some(({ source }) => source.startsWith("live")));
  assert.equal(await live.host.getAttribute("capacity-factor"), "0.75");
  await live.panel("lanes").locator(".lane").first().waitFor();

  const cut = await live.host.evaluate(
    ({ parentElement: { scrollHeight, clientHeight } }) => scrollHeight - clientHeight,
  );
  assert.equal(cut, 0, "pixels of the figure that its output cuts off");

  await recorded.host.scrollIntoViewIfNeeded();
  await recorded.panel("lanes").locator(".lane").nth(3).waitFor();
  const { header, steps } = await recorded.host.evaluate((figure) => figure.getTrace());
  assert.deepEqual(
    [header.origin.source, header.origin.producer, header.origin.model_name, header.model],
    ["imported", "transformers", "two random gates", null],
  );
  assert.equal(await recorded.engine.textContent(), "a run of two random gates, imported");
  assert.deepEqual(
    steps[0].tokens.map(({ bytes }) => Buffer.from(bytes).toString()),
    ["a", " rose", " is", " a", " rose", " is", " a", " rose"],
  );
  // The same word asks the same experts, and the table of pandas says how often.
  const [{ routing }] = steps[0].layers;
  const ofRose = routing.assignments.filter(({ token }) => token % 3 === 1).map(({ expert }) => expert);
  assert.deepEqual(ofRose, [...ofRose.slice(0, 2), ...ofRose.slice(0, 2), ...ofRose.slice(0, 2)]);
  const counts = page.locator("table.dataframe tbody tr").filter({ hasText: "rose" });
  assert.equal(await counts.locator("td").filter({ hasText: /^3$/ }).count(), 4, "two experts in each of two layers");
  // An exported notebook asks its own host for anywidget before the public one, and a static host has none.
  const others = problems.filter((problem) => !problem.includes(`${host.url}anywidget.js`));
  assert.deepEqual(others, []);
});
