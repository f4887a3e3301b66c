// Lessons on live models: each of ours is played to its end, by mouse, by keyboard and on a narrow screen; what is wrong
// with one is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** The bar above the figure. */
const barOf = (figure) => figure.host.getByRole("region", { name: /^Lesson: / });

/** The lesson's file, as the site has it. */
const fileOf = async (name) => (await fetch(new URL(`lessons/${name}.json`, site.url))).json();

/** Presses a button of the bar, again until nothing is left to wait for; returns what the bar then says. */
async function answer(bar, name) {
  const verdict = bar.locator(".lesson-verdict");
  for (let turn = 0; turn < 240; turn += 1) {
    await bar.getByRole("button", { name, exact: true }).click();
    const words = await verdict.textContent();
    if (!/^The (model is|picture is)|^There is no run/.test(words)) return words;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`${name}: the picture did not come to rest`);
}

/** Waits until this step is in the bar. */
const atStep = (bar, number, of) => bar.getByText(`${number} of ${of}`, { exact: true }).waitFor();

/** Does a step as its author says it can be done. */
async function doStep(figure, bar, step) {
  if (step.predict) {
    const bars = bar.getByRole("slider");
    await bars.first().waitFor();
    assert.equal(await bars.count(), 8);
    assert.equal(await figure.host.locator(".panel-body .lane, .panel-body .column").count(), 0, "no picture tells");
    const words = await answer(bar, "Show the real ones");
    assert.match(words, /^(Your bars are off by|Every bar is as you drew it)/);
    assert.ok(words.endsWith(step.reveal), words);
  } else if (step.ask) {
    const wrong = await answer(bar, "Check");
    assert.match(wrong, /^Not yet: /, step.ask);
    if (step.solution) {
      await bar.getByRole("button", { name: "Show me" }).click();
    } else {
      // Of the quantities that are compared with others, this one is to be found on the page.
      assert.ok(step.expect.includes("expert == busiest"), step.ask);
      const { steps } = await figure.trace();
      const layer = Number(step.expect.find((condition) => condition.startsWith("layer == ")).slice(9));
      const asked = Array.from({ length: 8 }, () => 0);
      for (const { expert } of steps.at(-1).layers[layer].routing.assignments) asked[expert] += 1;
      await figure
        .panel("load")
        .locator(".column")
        .nth(asked.indexOf(Math.max(...asked)))
        .click();
    }
    const right = await answer(bar, "Check");
    assert.match(right, /^Right\./, `${step.ask} ${right}`);
    if (step.reveal) assert.ok(right.endsWith(step.reveal), right);
  }
}

for (const name of ["gate", "capacity", "policies", "balance", "specialise"]) {
  test(`the lesson ${name} is played to its end on the live models`, async (t) => {
    const { figure, problems } = await openFigure(site, t, { attributes: { lesson: name } });
    const { title, steps } = await fileOf(name);
    const bar = barOf(figure);
    await bar.getByRole("heading", { name: title }).waitFor();
    await figure.live();
    for (const [at, step] of steps.entries()) {
      await atStep(bar, at + 1, steps.length);
      await bar.getByText(step.say, { exact: true }).waitFor();
      await doStep(figure, bar, step);
      const last = at + 1 === steps.length;
      await bar.getByRole("button", { name: last ? "End of the lesson" : "Next", exact: true }).click();
    }
    await bar.waitFor({ state: "detached" });
    assert.equal(await figure.host.getAttribute("lesson"), "");
    assert.deepEqual(problems, []);
  });
}

test("what the capacity lesson asks is done by hand, after a hint", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { lesson: "capacity" } });
  const bar = barOf(figure);
  await figure.live();
  await bar.getByRole("button", { name: "Next", exact: true }).click();
  // The prompt rests, and so does every control of the routing.
  assert.equal(await figure.prompt.count(), 0);
  assert.equal(await figure.capacityFactor.count(), 0);

  // By keyboard: the guess, then the real ones.
  await bar.getByRole("slider").first().waitFor();
  await bar.getByRole("slider", { name: "Expert 0: requests that you expect" }).focus();
  for (let press = 0; press < 4; press += 1) await page.keyboard.press("ArrowRight");
  assert.equal(await bar.getByRole("slider").first().getAttribute("aria-valuetext"), "4");
  // By pointer, as on any slider.
  const second = await bar.getByRole("slider").nth(1).boundingBox();
  await page.mouse.click(second.x + second.width / 2, second.y + second.height / 2);
  assert.equal(await bar.getByRole("slider").nth(1).getAttribute("aria-valuetext"), "10");
  await bar.getByRole("button", { name: "Show the real ones" }).focus();
  await page.keyboard.press("Enter");
  while (/^The model is/.test(await bar.locator(".lesson-verdict").textContent())) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    await page.keyboard.press("Enter");
  }
  await bar.getByText("Expert 1: drawn 10, real 1").waitFor({ state: "attached" });
  // The button that was pressed is the way on, and keeps the focus.
  await page.keyboard.press("Enter");
  await atStep(bar, 3, 5);

  assert.match(
    await answer(bar, "Check"),
    /the tokens dropped in this layer: 0; it should be 1\. Take the slider slowly/,
  );
  await figure.capacityFactor.fill("1");
  assert.match(await answer(bar, "Check"), /^Right\. It is the “ was” at the end/);
  const shown = await figure.trace();
  const lost = shown.steps.at(-1).layers[0].routing.assignments.filter(({ fate }) => fate === "lost");
  assert.deepEqual(
    lost.filter(({ token }) => token === 19).map(({ rank }) => rank),
    [0, 1],
  );
  assert.deepEqual(problems, []);
});

test("the lessons stand at the end of the story; a link opens one, and Close ends it", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { depth: "story", backend: "recorded" } });
  await figure.recorded();
  const lessons = figure.host.getByRole("navigation", { name: "Lessons" });
  await lessons.getByRole("button", { name: "What a gate does" }).click();
  await barOf(figure).getByText("1 of 5").waitFor();
  await page.waitForFunction(() => location.hash.includes("lesson=gate"));
  await page.reload();
  await barOf(figure).getByText("1 of 5").waitFor();
  await figure.button("Close the lesson").click();
  await barOf(figure).waitFor({ state: "detached" });
  await page.waitForFunction(() => !location.hash.includes("lesson="));
  assert.deepEqual(problems, []);
});

test("a figure in an article has a lesson of its author's, at 320 pixels too", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, {
    path: "examples/lesson.html",
    attributes: { backend: "recorded", loading: "eager" },
    viewport: { width: 320, height: 700 },
  });
  await figure.recorded();
  const bar = barOf(figure);
  await bar.getByText("1 of 3").waitFor();
  await bar.getByRole("button", { name: "Next", exact: true }).click();
  await bar.getByRole("slider").first().waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${wide} pixels stand out`);
  const { height } = await bar.boundingBox();
  assert.ok(height <= 0.62 * 700, "the bar leaves room for the figure");
  await bar.getByRole("button", { name: "Show the real ones" }).click();
  await bar.getByRole("button", { name: "Next", exact: true }).click();
  // Without an engine the layer is routed again from what was recorded.
  await figure.capacityFactor.fill("0.8");
  assert.match(await answer(bar, "Check"), /^Right\./);
  assert.deepEqual(problems, []);
});

test("a lesson with a mistake is told with its line, and the page works without it", async (t) => {
  const spoilt = `{ "lesson": 1, "title": "T", "steps": [\n  { "say": "S", "sett": { } } ] }`;
  const { figure } = await openFigure(site, t, {
    attributes: { backend: "recorded", lesson: "lessons/spoilt.json" },
    prepare: (page) =>
      page.route("**/lessons/spoilt.json", (route) => route.fulfill({ contentType: "application/json", body: spoilt })),
  });
  const words = await figure.told("cannot be opened");
  assert.match(words, /Line 2, column 17: a step has no “sett”; it may have say, set/);
  assert.match(words, /The page works without it/);
  await figure.recorded();
  assert.equal(await barOf(figure).count(), 0);
  assert.ok((await figure.tokens.count()) > 0);
});
