// Stepping through a run and through its text, by buttons and by keys. A recorded run is enough for that.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** A page with the whole recorded run, nothing focused, on its first step. */
async function openRecorded(t) {
  const opened = await openFigure(site, t, { attributes: { backend: "recorded" }, newTokens: null });
  const { figure } = opened;
  await figure.recorded();
  if ((await figure.shownStep()) > 0) await figure.button("First step").click();
  await figure.atStep(1);
  await opened.page.evaluate(() => {
    const { activeElement } = document.querySelector("moe-playground").shadowRoot;
    if (activeElement instanceof HTMLElement) activeElement.blur();
  });
  return { ...opened, trace: await figure.trace() };
}

test("buttons step forward and back, and each step shows its own text", async (t) => {
  const { figure, trace, problems } = await openRecorded(t);
  /** @type {[string, number][]} */
  const path = [
    ["Step forward", 2],
    ["Step forward", 3],
    ["Step back", 2],
    ["Step forward", 3],
    ["First step", 1],
  ];
  for (const [name, number] of path) {
    await figure.button(name).click();
    await figure.atStep(number);
    assert.equal(await figure.tokens.count(), trace.steps[number - 1].tokens.length, `tokens of step ${number}`);
  }
  assert.deepEqual(problems, []);
});

test("one cannot step past either end", async (t) => {
  const { figure, trace } = await openRecorded(t);
  assert.ok(await figure.button("Step back").isDisabled());
  for (let number = 2; number <= trace.steps.length; number += 1) {
    await figure.button("Step forward").click();
    await figure.atStep(number);
  }
  assert.ok(await figure.button("Step forward").isDisabled());
});

test("comma and full stop step back and forward", async (t) => {
  const { page, figure } = await openRecorded(t);
  await page.keyboard.press(".");
  await figure.atStep(2);
  await page.keyboard.press(".");
  await figure.atStep(3);
  await page.keyboard.press(",");
  await figure.atStep(2);
});

test("Space plays the run to its end and stops there", async (t) => {
  const { page, figure, trace } = await openRecorded(t);
  await figure.host.getByRole("combobox", { name: "Speed" }).selectOption("4");
  await figure.tokens.first().click();
  await page.keyboard.press(" ");
  await figure.button("Pause").waitFor();
  await figure.atStep(trace.steps.length);
  await figure.button("Play").waitFor();
});

test("Space again pauses", async (t) => {
  const { page, figure, trace } = await openRecorded(t);
  await page.keyboard.press(" ");
  await figure.button("Pause").waitFor();
  await page.keyboard.press(" ");
  await figure.button("Play").waitFor();
  assert.ok((await figure.shownStep()) < trace.steps.length - 1);
});

test("arrows to the sides go through the tokens, Home and End to the ends", async (t) => {
  const { page, figure, trace } = await openRecorded(t);
  const last = trace.steps[0].tokens.length - 1;
  const path = [
    ["Home", 0],
    ["ArrowRight", 1],
    ["ArrowRight", 2],
    ["ArrowLeft", 1],
    ["End", last],
    ["ArrowRight", last],
    ["Home", 0],
    ["ArrowLeft", 0],
  ];
  for (const [key, token] of path) {
    await page.keyboard.press(key);
    await figure.selected({ token });
    const marked = await figure.tokens.evaluateAll((tokens) =>
      tokens.flatMap(({ ariaSelected }, at) => (ariaSelected === "true" ? [at] : [])),
    );
    assert.deepEqual(marked, [token], `the text marks what ${key} selects`);
  }
});

test("arrows up and down go through the layers", async (t) => {
  const { page, figure, trace } = await openRecorded(t);
  const last = trace.header.model.num_layers - 1;
  for (let press = 0; press <= last; press += 1) await page.keyboard.press("ArrowUp");
  await figure.selected({ layer: 0 });
  for (let layer = 1; layer <= last; layer += 1) {
    await page.keyboard.press("ArrowDown");
    await figure.selected({ layer });
  }
  await page.keyboard.press("ArrowDown");
  await figure.selected({ layer: last });
  await page.keyboard.press("ArrowUp");
  await figure.selected({ layer: last - 1 });
});

test("d goes through the places where requests were lost, in order, and round again", async (t) => {
  const { page, figure, trace } = await openRecorded(t);
  const { layers, tokens } = trace.steps[0];
  const places = tokens.flatMap((_, token) =>
    layers.flatMap(({ routing }, layer) =>
      routing.assignments.some((request) => request.token === token && request.fate === "lost")
        ? [{ token, layer }]
        : [],
    ),
  );
  assert.ok(places.length > 0, "the recorded run shows an overflow in its first step");
  await page.keyboard.press("End");
  for (let press = 0; press < layers.length; press += 1) await page.keyboard.press("ArrowDown");
  await figure.selected({ token: tokens.length - 1, layer: layers.length - 1 });
  // From the very last place on it begins again at the first one.
  for (const place of [...places, places[0]]) {
    await page.keyboard.press("d");
    await figure.selected(place);
  }
});

test("c goes to the capacity factor, and there arrows move it", async (t) => {
  const { page, figure } = await openRecorded(t);
  const { token } = await figure.selection();
  const before = Number(await figure.capacityFactor.inputValue());
  await page.keyboard.press("c");
  assert.ok(await figure.capacityFactor.evaluate((slider) => slider.matches(":focus")));
  await page.keyboard.press("ArrowRight");
  const after = Number(await figure.capacityFactor.inputValue());
  assert.ok(after > before, `${before} before, ${after} after`);
  assert.equal((await figure.selection()).token, token, "the key was the slider's");
});

test("every control of the routing is called by its own name", async (t) => {
  const { figure } = await openRecorded(t);
  assert.equal(
    await figure.host.getByRole("slider", { name: "Capacity factor" }).count(),
    1,
    "the slider, not its number",
  );
  for (const name of ["When an expert is full", "Slots shared by", "Experts (k)"]) {
    assert.equal(await figure.host.getByRole("combobox", { name, exact: true }).count(), 1, name);
  }
});

test("lanes, layers, columns of the load and rows of the table are one stop of the Tab key each, and the focus goes with the selection", async (t) => {
  const { page, figure } = await openRecorded(t);
  for (const [names, key, back] of [
    [".lane-name", "]", "["],
    [".layer-name", "ArrowDown", "ArrowUp"],
    [".panel-load .column", "]", "["],
    [".layer-table th button", "ArrowDown", "ArrowUp"],
  ]) {
    const stops = figure.host.locator(`${names}[tabindex="0"]`);
    // Wherever the selection is, it goes to the first one, and then on by one.
    await stops.focus();
    for (let press = 0; press < 8; press += 1) await page.keyboard.press(back);
    const all = figure.host.locator(names);
    const selected = (number) => all.nth(number).and(figure.host.locator('[aria-pressed="true"]:focus')).waitFor();
    await selected(0);
    await page.keyboard.press(key);
    await selected(1);
    assert.equal(await stops.count(), 1, names);
    assert.ok(await all.nth(1).evaluate((it) => it.matches(":focus")), names);
  }
});

test("a column of the load and a row of the table are chosen by a key", async (t) => {
  const { page, figure } = await openRecorded(t);
  for (const [name, press] of [
    [/^\d+ requests?, \d+ served: E3$/, "Enter"],
    [/^\d+ requests?, \d+ served: E5$/, "Space"],
  ]) {
    const column = figure.panel("load").getByRole("button", { name });
    await column.focus();
    await page.keyboard.press(press);
    await column.and(figure.host.locator('[aria-pressed="true"]')).waitFor();
  }
  for (const [layer, press] of [
    [2, "Enter"],
    [1, "Space"],
  ]) {
    await figure
      .panel("counts")
      .getByRole("button", { name: `L${layer}`, exact: true })
      .focus();
    await page.keyboard.press(press);
    await figure.selected({ layer });
  }
});

test("keys that come while the page is busy are all done, and none scrolls", async (t) => {
  const { figure } = await openRecorded(t);
  await figure.tokens.first().click();
  await figure.selected({ token: 0 });
  // Within one task nothing is drawn in between, as when drawing takes long.
  const heldBack = await figure.tokens.first().evaluate((token) =>
    ["ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "q"].map((key) => {
      const event = new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true });
      token.dispatchEvent(event);
      return event.defaultPrevented;
    }),
  );
  assert.deepEqual(heldBack, [true, true, true, true, false]);
  await figure.selected({ token: 2 });
});

test("a question mark shows the keys, and Escape hides them", async (t) => {
  const { page, figure } = await openRecorded(t);
  const help = figure.host.getByRole("complementary", { name: "Keyboard" });
  await page.keyboard.press("?");
  await help.waitFor();
  assert.match(await help.textContent(), /next request turned away/);
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
});

test("letters typed into the prompt are text and no commands", async (t) => {
  const { page, figure } = await openRecorded(t);
  const before = await figure.selection();
  await figure.prompt.fill("");
  await figure.prompt.press("d");
  await page.keyboard.type("c? .,");
  await page.keyboard.press("ArrowLeft");
  assert.equal(await figure.prompt.inputValue(), "dc? .,");
  assert.deepEqual(await figure.selection(), before);
  assert.equal(await figure.shownStep(), 0);
});

test("a click on a token selects it in every view", async (t) => {
  const { figure, trace } = await openRecorded(t);
  await figure.tokens.nth(3).click();
  await figure.selected({ token: 3 });
  const { layer } = await figure.selection();
  const asked = trace.steps[0].layers[layer].routing.assignments
    .filter(({ token }) => token === 3)
    .map(({ expert }) => expert);
  const shown = await figure.panel("token").locator(".gate-row.is-asked b").allTextContents();
  assert.deepEqual(new Set(shown), new Set(asked.map((expert) => `E${expert}`)));
  const inLanes = await figure.panel("lanes").locator(".slot.is-selected").count();
  assert.equal(inLanes, asked.length);
});

for (const [what, attributes] of Object.entries({ "on the page": {}, "in a figure": { view: "strip" } })) {
  test(`${what} the bar below a token is as tall as the probability of its first choice`, async (t) => {
    const { figure, problems } = await openFigure(site, t, { attributes: { ...attributes, backend: "recorded" } });
    await figure.recorded();
    const layer = await figure.tokens.first().evaluate((token) => {
      const [, number] = token.closest(".panel-strip").textContent.match(/layer (\d+)/);
      return Number(number);
    });
    const { steps } = await figure.trace();
    const { num_experts, values } = steps[0].layers[layer].gate_logits;
    const bars = await figure.tokens.evaluateAll((tokens) =>
      tokens.map((token) => {
        const lane = token.querySelector(".token-lane");
        return lane.querySelector(".level").getBoundingClientRect().height / lane.getBoundingClientRect().height;
      }),
    );
    assert.equal(bars.length * num_experts, values.length);
    bars.forEach((share, token) => {
      const logits = values.slice(token * num_experts, (token + 1) * num_experts);
      const largest = Math.max(...logits);
      const first = 1 / logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
      assert.ok(Math.abs(share - first) < 0.02, `token ${token}: ${share} for ${first}`);
    });
    assert.deepEqual(problems, []);
  });
}
