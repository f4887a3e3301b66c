// Small figures and links: a figure offers what its author names, and what stands on the screen is in an address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Figure, openFigure } from "../lib/figure.mjs";
import { record } from "../lib/record.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

const capacityOf = (figure) => figure.capacityFactor.inputValue();
const hashOf = (page) => Object.fromEntries(new URLSearchParams(new URL(page.url()).hash.slice(1)));

test("a figure has the controls that are named, and leads to the same picture in the full page", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    newTokens: 4,
    attributes: {
      view: "lanes",
      controls: "capacity step run",
      backend: "recorded",
      step: "2",
      layer: "1",
      token: "3",
      "capacity-factor": "0.5",
    },
  });
  await figure.recorded();
  await figure.atStep(3);
  assert.match(await figure.panel("lanes").textContent(), /Capacity lanes · layer 1/);
  assert.equal(await capacityOf(figure), "0.5");
  assert.equal(await figure.host.getByRole("combobox", { name: "When an expert is full" }).count(), 0);
  assert.equal(
    await figure.host.locator(".top, .prompt-bar, .tabs").count(),
    0,
    "nothing of the full page around the panels",
  );
  assert.equal(await figure.prompt.count(), 0);
  // One way to step: it belongs to no panel here.
  await figure.button("Step back").click();
  await figure.atStep(2);

  const link = figure.host.getByRole("link", { name: "open in the playground" });
  const href = await link.evaluate((link) => link.href);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  const { page: other } = await site.open(t, "404.html");
  await other.goto(href);
  const whole = new Figure(other);
  await whole.atStep(2);
  await whole.selected({ token: 3, layer: 1 });
  assert.equal(await capacityOf(whole), "0.5");
  assert.deepEqual(problems, []);
});

test("an address follows what is on the screen; a reload and the way back show it again", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" }, newTokens: 4 });
  await figure.recorded();
  await figure.capacityFactor.fill("0.75");
  await page.waitForFunction(() => location.hash.includes("capacity-factor=0.75"));
  await figure.capacityFactor.fill("2");
  await page.waitForFunction(() => location.hash.includes("capacity-factor=2"));
  await figure.tokens.nth(5).click();
  await page.waitForFunction(() => location.hash.includes("token=5"));
  assert.equal(hashOf(page).v, "1");

  await page.reload();
  await figure.recorded();
  assert.equal(await capacityOf(figure), "2");
  await figure.selected({ token: 5 });

  await page.goBack();
  await page.waitForFunction(() => document.querySelector("moe-playground").getState()?.["capacity-factor"] === "0.75");
  assert.equal(await capacityOf(figure), "0.75");
  await page.goForward();
  await page.waitForFunction(() => document.querySelector("moe-playground").getState()?.["capacity-factor"] === "2");
  assert.deepEqual(problems, []);
});

test("a state is read, shown and sought by a script, also before the figure is there", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" }, newTokens: 4 });
  await figure.recorded();
  const told = await page.evaluate(async () => {
    const figure = document.querySelector("moe-playground");
    const next = () =>
      new Promise((resolve) =>
        figure.addEventListener("moe-statechange", ({ detail }) => resolve(detail), { once: true }),
      );
    const sought = next();
    figure.seek({ layer: 2, token: 1, step: 3, expert: 6 });
    const before = await sought;
    const shown = next();
    figure.setState({ ...before, seed: 9, token: 4 });
    return { before, after: await shown, now: figure.getState() };
  });
  assert.deepEqual(told.before, { step: "3", layer: "2", token: "1", expert: "6" });
  assert.deepEqual(told.after, { seed: "9", step: "3", layer: "2", token: "4", expert: "6" });
  assert.deepEqual(told.now, told.after);

  const early = await page.evaluate(async () => {
    const figure = document.createElement("moe-playground");
    figure.setAttribute("backend", "recorded");
    figure.setAttribute("view", "lanes");
    figure.setAttribute("trace", "traces/default.jsonl");
    document.body.append(figure);
    figure.seek({ layer: 3, token: 2 });
    await new Promise((resolve) => figure.addEventListener("moe-ready", resolve, { once: true }));
    return figure.getState();
  });
  assert.deepEqual([early.layer, early.token], ["3", "2"]);
  assert.equal(early.trace, new URL("traces/default.jsonl", site.url).href, "a link says it to pages elsewhere");
  assert.deepEqual(problems, []);
});

test("whatever a link says, it sets settings and nothing else, and the page goes on", async (t) => {
  const hostile = [
    "onclick=window.moeStruck%3D1&onmouseover=window.moeStruck%3D1&onfocusin=window.moeStruck%3D1&style=display:none&id=x&class=y",
    "=1&1=2&%20=3&a%20b=4&%3Cb%3E=5&%00=6&é=7&__proto__=8&constructor=9",
    "trace=https%3A%2F%2F%5B&model=..%2F..%2Fx",
    "trace=%2F%2Felsewhere.example%2Frun.jsonl&trace=data%3A%2C&trace=javascript%3Aalert(1)",
    "%E0%A4%A&%&&&===&#&?",
  ];
  for (const said of hostile) {
    const prepare = (page) => page.addInitScript(record);
    const { page } = await site.open(t, `#v=1&${said}&backend=recorded&capacity-factor=0.5`, { prepare });
    const figure = new Figure(page);
    await figure.recorded();
    assert.equal(await capacityOf(figure), "0.5", said);
    await figure.tokens.first().click();
    const found = await page.evaluate(() => {
      const figure = document.querySelector("moe-playground");
      const own = [...figure.attributes].map(({ name }) => name);
      return { struck: window.moeStruck ?? 0, odd: own.filter((name) => /^(on.*|style|id|class)$/.test(name)) };
    });
    assert.deepEqual(found, { struck: 0, odd: [] }, said);
    // The address still follows.
    await figure.capacityFactor.fill("2");
    await page.waitForFunction(() => location.hash.includes("capacity-factor=2"));
  }
});

test("with controls=none a figure is looked at: nothing in it changes more than step and selection", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    attributes: {
      view: "strip layers lanes token load loss counts",
      controls: "none",
      backend: "recorded",
    },
  });
  await figure.recorded();
  const { fields, others } = await figure.host.evaluate(({ shadowRoot }) => {
    const all = [...shadowRoot.querySelectorAll(".moe-container :is(button, a, summary, input, select, textarea)")];
    const seen = all.filter((it) => it.checkVisibility());
    // What selects, what explains a word, and what shows a panel as a table.
    const looks = "[data-view], [data-grid], .layer-name, .lane-name, .column, .layer-table button, summary, .as-table";
    return {
      fields: seen.filter((it) => it.matches("input, select, textarea, [draggable]")).length,
      others: seen.filter((it) => !it.matches(looks)).map((it) => it.textContent),
    };
  });
  assert.equal(fields, 0);
  assert.deepEqual(others, ["open in the playground"]);
  const settings = ({ step, token, layer, expert, ...others }) => others;
  const state = () => page.evaluate(() => document.querySelector("moe-playground").getState());
  const before = await state();
  await figure.tokens.first().click();
  await figure.selected({ token: 0 });
  for (const key of ["c", "x", "]", ".", "Space"]) await page.keyboard.press(key);
  await figure.button("Load: show as table").click();
  await figure.panel("load").getByRole("table").waitFor();
  assert.deepEqual(settings(await state()), settings(before));
  assert.deepEqual(problems, []);
});

test("a comparison that was made on one page stands on another, with the same two runs in the same words", async (t) => {
  const path = "#v=1&depth=lab";
  const { page, figure, problems } = await openFigure(site, t, { path });
  const numberOf = ({ header }) => header.request.run;
  const first = await figure.finished();
  await figure.capacityFactor.fill("0.5");
  const second = await figure.finished({ after: numberOf(first) });
  await figure.capacityFactor.fill("2");
  const third = await figure.finished({ after: numberOf(second) });
  const runs = figure.panel("runs");
  await runs.getByRole("button", { name: `Compare with run ${numberOf(first)}`, exact: true }).click();
  await page.waitForFunction(() => location.hash.includes("against=capacity-factor%3A1.25"));
  const said = await runs.locator(".finding").textContent();
  assert.match(said, /turned away instead of/);

  const { figure: other, problems: others } = await openFigure(site, t, { path: new URL(page.url()).hash });
  const there = other.panel("runs");
  await there.locator(".finding").filter({ hasText: said }).waitFor();
  assert.deepEqual(await there.locator("tbody th").allTextContents(), ["first run kept", "capacity factor 1.25 → 2"]);
  const asked = ({ header, steps }) => ({ ...header.request, run: 0, steps: steps.length });
  assert.deepEqual(asked(await other.trace()), asked(third));
  await there
    .getByRole("button", { name: /^Put run \d+ on the screen$/ })
    .first()
    .click();
  await other.page.waitForFunction(() => location.hash.includes("against=later%3Bcapacity-factor%3A2"));
  assert.deepEqual(asked(await other.trace()), asked(first));
  assert.equal(await there.locator(".finding").textContent(), said);
  assert.deepEqual([...problems, ...others], []);
});

test("a figure's state and its link hold its panels, and the page shows all whatever they say", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    path: "embed.html?backend=recorded&view=strip%20lanes&layer=1",
    newTokens: 4,
  });
  const stateOf = ({ host }) => host.evaluate((it) => /** @type {any} */ (it).getState());
  const panelsOf = ({ host }) =>
    host.locator(".panel").evaluateAll((all) => all.map((panel) => /panel-([a-z]+)/.exec(panel.className)?.[1]));
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await figure.tokens.nth(3).click();
  const state = await stateOf(figure);
  assert.deepEqual([state.view, state.token], ["strip lanes", "3"]);

  // Another element takes another module for panels that its own has not.
  const show = (state) =>
    page.evaluate(async (state) => {
      const known = document.querySelector("#other");
      const attributes = { id: "other", backend: "recorded", view: "load" };
      const made = () => Object.assign(document.createElement("moe-playground"), attributes);
      const other = /** @type {any} */ (known ?? made());
      if (!known) document.body.append(other);
      await other.load();
      await other.setState(state);
    }, state);
  const other = new Figure(page, "#other");
  await show(state);
  assert.deepEqual([await panelsOf(other), await stateOf(other)], [["strip", "lanes"], state]);
  await show({ ...state, view: "strip runs" });
  await other.panel("runs").locator("tbody").waitFor();
  assert.deepEqual(await stateOf(other), { ...state, view: "strip runs" });
  // A state of before says nothing of panels.
  const { view, ...rest } = state;
  await show({ ...rest, token: 5 });
  assert.deepEqual([await panelsOf(other), (await stateOf(other)).token], [["strip", "runs"], "5"]);

  await figure.host.first().getByRole("option").nth(3).press("l");
  await figure.host.first().getByText("Link copied.").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(link.split("?")[0], new URL("embed.html", site.url).href);
  const { figure: opened } = await openFigure(site, t, { path: `${link.slice(site.url.length)}&backend=recorded` });
  await opened.tokens.first().waitFor();
  assert.deepEqual([await panelsOf(opened), (await stateOf(opened)).token], [view.split(" "), "3"]);

  const { figure: whole } = await openFigure(site, t, { path: `#v=1&view=lanes&token=3&backend=recorded` });
  await whole.recorded();
  await whole.selected({ token: 3 });
  assert.equal(await whole.host.locator(".moe-container header.top").count(), 1);
  assert.equal((await stateOf(whole)).view, undefined);
  assert.deepEqual(problems, []);
});
