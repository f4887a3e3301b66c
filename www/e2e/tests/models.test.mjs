// The menu of models: what it lists, what a choice keeps, loads and says, and how it fails.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { MODELS, withModels } from "../lib/models.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const chip = (figure) => figure.host.locator(".chip.model");
const entries = (figure) => figure.host.getByRole("list", { name: "Models" }).getByRole("button");
const badge = (figure) => figure.panel("strip").locator(".source");

/** Opens the menu and chooses. */
async function choose(figure, name) {
  await chip(figure).locator("summary").click();
  await entries(figure)
    .filter({ hasText: MODELS.find((model) => model.name === name).title })
    .click();
}

/** Names of the models whose weights were asked for, in order. */
function weightsOf(page) {
  const names = [];
  page.context().on("request", (request) => {
    const name = request.url().match(/\/models\/([^/]+)\/weights/)?.[1];
    if (name) names.push(name);
  });
  return names;
}

test("the menu lists models with rule and size, and marks the one in use", async (t) => {
  const { figure, problems } = await openFigure(site, t, { prepare: withModels });
  await figure.live();
  await chip(figure).locator("summary").click();
  const texts = await entries(figure).allTextContents();
  assert.equal(texts.length, MODELS.length);
  for (const [at, { title, rule }] of MODELS.entries()) {
    assert.ok(texts[at].includes(title) && texts[at].includes(rule) && texts[at].includes("3.8 MB"), texts[at]);
    assert.match(texts[at], /8 experts · 3\.5 M parameters, 1\.1 M active/);
  }
  const current = await entries(figure).evaluateAll((buttons) => buttons.map((button) => button.ariaCurrent));
  assert.deepEqual(current, ["true", null, null]);
  assert.match(texts[0], /in use/);
  assert.deepEqual(problems, []);
});

test("a chosen model loads with progress, keeps prompt and seed, and runs as it was trained", async (t) => {
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  const { page, figure, problems } = await openFigure(site, t, {
    prepare: (page) => withModels(page, (file) => file === "weights.safetensors" && held),
  });
  await figure.live();
  const before = await figure.finished();
  await figure.prompt.fill("The small cat");
  await choose(figure, "twin");
  assert.ok(!(await chip(figure).evaluate((details) => details.open)), "the menu closes");
  // The run before stays on the screen and says which model it is of.
  await figure.engine.filter({ hasText: /loading .* of .* MB/ }).waitFor();
  assert.match(await chip(figure).locator("summary").textContent(), /^twin/);
  assert.match(await badge(figure).textContent(), new RegExp(`live .*${before.header.model.name}`));
  assert.deepEqual((await figure.trace()).header.model, before.header.model);
  assert.equal(await page.evaluate(() => document.querySelector("moe-playground").getAttribute("model")), "twin");
  await page.waitForURL(/#v=1&model=twin&/);
  const shifts = await page.evaluate(() => window.moe.shifts.length);
  letGo();

  const { model } = await figure.live(2);
  assert.equal(model.name, "twin");
  const { header } = await figure.finished({ after: before.header.request.run });
  assert.deepEqual(header.request.routing.router, { rule: "hash", seed: 0 });
  assert.equal(header.request.prompt, "The small cat");
  assert.deepEqual(header.request.seed, before.header.request.seed);
  assert.equal(await figure.host.getByText("not as trained", { exact: true }).count(), 0);
  assert.doesNotMatch(await badge(figure).textContent(), /·/);
  assert.match(await figure.panel("token").textContent(), /This rule has no gate/);
  assert.equal(page.workers().length, 1, "the worker before was ended");
  const moved = await page.evaluate(
    (from) => window.moe.shifts.slice(from).reduce((sum, { value }) => sum + value, 0),
    shifts,
  );
  assert.ok(moved < 0.05, `what is on the screen moved by ${moved}`);
  assert.deepEqual(problems, []);

  // A number for k is another rule than the trained one, and says so; a dash is the trained one again.
  const k = figure.host.getByRole("combobox", { name: "Experts (k)", exact: true });
  await k.selectOption("2");
  await figure.host.getByText("not as trained", { exact: true }).first().waitFor();
  await k.selectOption("–");
  await figure.host.getByText("not as trained", { exact: true }).first().waitFor({ state: "hidden" });
});

test("a link names the model, and only that one is fetched", async (t) => {
  let weights;
  const { page, figure, problems } = await openFigure(site, t, {
    path: "?model=twin",
    prepare: async (page) => {
      weights = weightsOf(page);
      await withModels(page);
    },
  });
  assert.equal((await figure.live()).model.name, "twin");
  const { header } = await figure.finished();
  assert.deepEqual(header.request.routing.router, { rule: "hash", seed: 0 });
  assert.deepEqual(weights, ["twin"]);
  // The attribute is the same choice, whoever sets it.
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("model", "default"));
  await figure.live(2);
  await page.waitForURL(/#v=1&model=default&/);
  await chip(figure).locator("summary").click();
  const current = await entries(figure).evaluateAll((buttons) => buttons.map((button) => button.ariaCurrent));
  assert.deepEqual(current, ["true", null, null]);
  assert.deepEqual(problems, []);
});

test("an address of a model may carry a query, and a link takes names only", async (t) => {
  const asked = [];
  const { page, figure, problems } = await openFigure(site, t, {
    path: "?model=models/gone/",
    attributes: { model: "models/twin/?v=3" },
    prepare: async (page) => {
      page.context().on("request", (request) => request.url().includes("manifest.json") && asked.push(request.url()));
      await withModels(page);
    },
  });
  assert.equal((await figure.live()).model.name, "twin");
  assert.deepEqual(asked, [new URL("models/twin/manifest.json?v=3", site.url).href]);
  assert.equal(
    await page.evaluate(() => document.querySelector("moe-playground").getAttribute("model")),
    "models/twin/?v=3",
  );
  assert.deepEqual(problems, []);
});

test("a model that is not there is told, and the one before goes on", async (t) => {
  const { page, figure } = await openFigure(site, t, { prepare: withModels });
  const { model } = await figure.live();
  await figure.finished();
  await choose(figure, "gone");
  const { why, try_this } = await figure.error("The model could not be fetched.");
  assert.match(why, /There is no manifest\.json at its address \(status 404\)/);
  assert.match(try_this, /goes on running/);
  assert.match(await figure.engine.textContent(), /live on your/);
  // What failed has left nothing behind: the engine before runs, and the attribute says so.
  await figure.run("The engine before");
  const { header } = await figure.finished({ after: 1 });
  assert.equal(header.model.name, model.name);
  await figure.notice.waitFor({ state: "hidden" });
  assert.equal(page.workers().length, 1);
  assert.notEqual(await page.evaluate(() => document.querySelector("moe-playground").getAttribute("model")), "gone");
  await choose(figure, "twin");
  assert.equal((await figure.live(2)).model.name, "twin");
});

test("the menu works by keys", async (t) => {
  const { page, figure } = await openFigure(site, t, { prepare: withModels });
  await figure.live();
  await figure.finished();
  const { token } = await figure.selection();
  await chip(figure).locator("summary").focus();
  await page.keyboard.press("Enter");
  for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"]) await page.keyboard.press(key);
  assert.deepEqual(await figure.selection(), { token, layer: (await figure.selection()).layer });
  await page.keyboard.press("Escape");
  const closed = () =>
    chip(figure).evaluate((details) => !details.open && details.getRootNode().activeElement.tagName === "SUMMARY");
  assert.ok(await closed(), "Escape closes it, and the focus is where it was");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal((await figure.live(2)).model.name, "twin");
});

test("on a phone the menu fits and is chosen by touch", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    prepare: withModels,
  });
  await figure.live();
  await chip(figure).locator("summary").tap();
  const box = await chip(figure).locator(".menu").boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390 && box.y + box.height <= 844, JSON.stringify(box));
  for (const { height } of await Promise.all((await entries(figure).all()).map((entry) => entry.boundingBox()))) {
    assert.ok(height >= 44, `${height} px for a finger`);
  }
  assert.equal(await page.evaluate(() => document.scrollingElement.scrollWidth), 390);
  await entries(figure).nth(1).tap();
  assert.equal((await figure.live(2)).model.name, "twin");
});

test("without a list there is no menu, and nothing else is missing", async (t) => {
  const { figure, problems } = await openFigure(site, t, {
    prepare: (page) =>
      page.context().route(/\/models\/index\.json$/, (route) => route.fulfill({ status: 404, body: "" })),
  });
  await figure.live();
  await figure.finished();
  await chip(figure).locator("summary").click();
  assert.match(await chip(figure).locator(".more").textContent(), /parameters.*weights/);
  assert.equal(await entries(figure).count(), 0);
  assert.deepEqual(
    problems.filter((problem) => !problem.includes("index.json")),
    [],
  );
});

test("with the recorded run only, nothing can be chosen and no list is fetched", async (t) => {
  const fetched = [];
  const { figure, problems } = await openFigure(site, t, {
    attributes: { backend: "recorded" },
    prepare: async (page) => {
      await withModels(page);
      page.on("request", (request) => /\/models\//.test(request.url()) && fetched.push(request.url()));
    },
  });
  await figure.recorded();
  await chip(figure).locator("summary").click();
  assert.equal(await entries(figure).count(), 0);
  assert.deepEqual([fetched, problems], [[], []]);
});
