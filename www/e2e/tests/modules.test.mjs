// One library, two modules: a figure loads the small one, the page the large one, and an element that becomes the other
// of the two keeps what it showed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Figure, openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const MODULE = /\/(web|figure|moe_worker)_bg[^/]*\.wasm$/;
const RECORDED = { backend: "recorded" };

/** Notes the modules that a page asks for, each as often as it does. */
function noteModules(page, names) {
  page.on("request", (request) => {
    const [, name] = new URL(request.url()).pathname.match(MODULE) ?? [];
    if (name) names.push(name);
  });
}

test("a figure of panels loads the module of figures, the page its own", async (t) => {
  const check = async (attributes, expected) => {
    const names = [];
    const { figure, problems } = await openFigure(site, t, {
      path: "embed.html",
      attributes: {},
      prepare: (page) => noteModules(page, names),
      ...attributes,
    });
    await figure.panel("lanes").locator(".lane").first().waitFor();
    assert.deepEqual(names, expected, JSON.stringify(attributes));
    assert.deepEqual(problems, []);
  };
  await check({ path: "embed.html?backend=recorded&view=lanes" }, ["figure"]);
  await check({ path: "embed.html?backend=recorded&view=strip%20%20lanes%20counts" }, ["figure"]);
  await check({ path: "embed.html?backend=recorded" }, ["web"]);
  await check({ path: "", attributes: RECORDED }, ["web"]);
});

test("panels have second words, by which the small module is loaded too", async (t) => {
  const names = [];
  const { figure, problems } = await openFigure(site, t, {
    path: "embed.html?backend=recorded&view=matrix%20gate",
    prepare: (page) => noteModules(page, names),
  });
  await figure.panel("layers").locator(".matrix-layer").first().waitFor();
  assert.equal(await figure.panel("token").locator(".gate-row").count(), 8);
  assert.equal(await figure.host.locator(".panel").count(), 2);
  assert.deepEqual(names, ["figure"]);
  // Its panel is in the page's module.
  await figure.host.evaluate((it) => {
    it.setAttribute("microscope", "capacity");
    it.setAttribute("view", "equation");
  });
  await figure.panel("microscope").locator("math").first().waitFor();
  assert.deepEqual(names, ["figure", "web"]);
  assert.deepEqual(problems, []);
});

test("two figures and a page stand in one document, on two modules", async (t) => {
  const names = [];
  const { page, problems } = await openFigure(site, t, {
    attributes: RECORDED,
    prepare: (page) => noteModules(page, names),
  });
  await page.evaluate(() => {
    for (const [id, view] of [
      ["one", "lanes"],
      ["two", "strip loss"],
    ]) {
      const figure = Object.assign(document.createElement("moe-playground"), { id, loading: "eager" });
      figure.setAttribute("view", view);
      figure.setAttribute("backend", "recorded");
      document.querySelector("main")?.append(figure);
    }
  });
  const [whole, one, two] = ["[view=full]", "#one", "#two"].map((selector) => new Figure(page, selector));
  await whole.tokens.first().waitFor();
  await one.panel("lanes").locator(".lane").first().waitFor();
  await two.tokens.first().waitFor();
  assert.deepEqual(names.sort(), ["figure", "web"]);
  assert.equal(await one.host.locator("header.top").count(), 0);

  // Each keeps its own selection.
  await two.tokens.nth(3).click();
  const states = await page.evaluate(() =>
    [...document.querySelectorAll("moe-playground")].map((figure) => /** @type {any} */ (figure).getState().token),
  );
  assert.equal(states[2], "3");
  assert.notEqual(states[0], "3");

  // What one loads is the other's too, and nothing else is.
  await whole.tokens.nth(2).click();
  await whole.selected({ token: 2 });
  assert.deepEqual(problems, []);
});

test("a figure that becomes the page, and a figure again, keeps what it showed", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    path: "embed.html?backend=recorded&view=strip%20lanes%20token&layer=1",
  });
  const state = () => figure.host.evaluate((it) => /** @type {any} */ (it).getState());
  const become = (view, also = {}) =>
    figure.host.evaluate((it, attributes) => Object.assign(it, attributes), { view, ...also });
  await figure.tokens.first().waitFor();
  await figure.tokens.nth(4).click();
  await figure.selected({ token: 4, layer: 1 });
  const before = await state();
  assert.equal(before.token, "4");
  const { view, ...rest } = before;
  assert.equal(view, "strip lanes token");

  await become("full");
  // Never an empty box: until the page is there, the figure's picture is.
  assert.ok(await figure.host.evaluate((it) => it.shadowRoot?.querySelector("#root")?.childElementCount));
  await figure.host.locator("header.top").waitFor();
  await figure.selected({ token: 4, layer: 1 });
  assert.deepEqual(await state(), rest, "the page has all panels, and says none");

  // What changes together with the view is not overruled by what was.
  await become("strip token", { token: 2 });
  await figure.host.locator("header.top").waitFor({ state: "detached" });
  await figure.selected({ token: 2, layer: 1 });
  assert.deepEqual(await state(), { ...before, view: "strip token", token: "2" });
  assert.equal(await figure.host.locator(".panel-lanes").count(), 0);
  assert.equal(await page.evaluate(() => document.querySelectorAll("moe-playground").length), 1);
  assert.deepEqual(problems, []);
});

test("a live figure that becomes the page is live again, with the same run", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    path: "embed.html?view=strip&controls=run%20prompt%20step&max-tokens=2&prompt=Once%20upon%20a%20time&loading=eager",
  });
  await figure.live();
  const before = await figure.finished();
  await figure.host.evaluate((it) => Object.assign(it, { view: "full" }));
  await figure.host.locator("header.top").waitFor();
  await figure.live(2);
  // Runs count from 1 again, so the figure's are no help.
  await page.waitForFunction((numSteps) => {
    const trace = /** @type {any} */ (document.querySelector("moe-playground")).getTrace();
    return trace?.header.origin.source.startsWith("live") && trace.steps.length === numSteps;
  }, before.steps.length);
  const after = await figure.trace();
  assert.equal(after.header.request.prompt, "Once upon a time");
  assert.deepEqual(after.steps.at(-1).tokens, before.steps.at(-1).tokens);
  assert.deepEqual(problems, []);
});
