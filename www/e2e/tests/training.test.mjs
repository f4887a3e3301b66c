// The training lab in a real browser: two models learn beside the engine, are steered, and survive their worker's end.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { workersEnded } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** Opens the lab as a figure without an engine: nothing but trainings computes. */
async function lab(t, attributes = "") {
  const { page, problems } = await site.open(t, "examples/two.html", {
    prepare: async (page) => {
      await page.route("**/examples/two.html", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<!doctype html><title>Lab</title><script type="module" src="../assets/element.js"></script>
<moe-playground view="training" backend="recorded" loading="eager" ${attributes}></moe-playground>`,
        }),
      );
    },
  });
  await page.getByRole("button", { name: "Train both" }).waitFor();
  return { page, problems };
}

const fact = (page, side, name) =>
  page.locator(".lab-side").nth(side).locator("li", { hasText: name }).locator("b").textContent();

/** Waits until both have done so many steps. */
async function afterSteps(page, number) {
  await page.waitForFunction(
    (number) => {
      const steps = document.querySelector("moe-playground").shadowRoot.querySelector(".lab-steps");
      return steps && Number.parseInt(steps.textContent, 10) >= number;
    },
    number,
    { timeout: 120_000 },
  );
}

test("two models learn, rest, go on, go back and are copied", async (t) => {
  const { page, problems } = await lab(t);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 12);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("resting").waitFor();
  const steps = () => page.locator(".lab-steps").textContent();
  const rested = Number.parseInt(await steps(), 10);
  assert.ok(Number(await fact(page, 0, "loss, nats per byte")) < 5.5);
  assert.match(await fact(page, 1, "held-out"), /^\d\.\d{3}$/);

  await page.getByRole("button", { name: "10 steps" }).click();
  await page.getByText("resting").waitFor();
  assert.equal(Number.parseInt(await steps(), 10), rested + 10);

  // Back to the state before the first step, and from there the same losses again.
  const slider = page.getByRole("slider", { name: /Snapshot/ });
  // On a slow machine there is no other yet.
  if (await slider.isEnabled()) await slider.fill("0");
  await page.getByRole("button", { name: "Go back to it" }).click();
  await page.waitForFunction(() =>
    document.querySelector("moe-playground").shadowRoot.querySelector(".lab-steps").textContent.startsWith("0 "),
  );
  await page.getByRole("button", { name: "Copy first over second" }).click();
  await page.getByRole("button", { name: "10 steps" }).click();
  await page.getByText("resting").waitFor();
  assert.equal(Number.parseInt(await steps(), 10), 10);
  // A copy under the same settings is the same model.
  assert.equal(await fact(page, 0, "loss, nats per byte"), await fact(page, 1, "loss, nats per byte"));
  assert.deepEqual(problems, []);
});

test("the recipe is in the attribute and in the link, the reader's text is not", async (t) => {
  const { page, problems } = await lab(t, `experiment="room sums 7"`);
  const state = () => page.evaluate(() => document.querySelector("moe-playground").getState());
  assert.equal((await state()).experiment, "room sums 7");
  await page.getByRole("combobox", { name: "Text" }).selectOption("own");
  await page.getByRole("textbox", { name: /Your text/ }).fill("too short");
  assert.equal((await state()).experiment, "room own 7");
  assert.doesNotMatch(JSON.stringify(await state()), /too short/);
  await page.getByRole("button", { name: "Train both" }).click();
  await page.getByText(/a sequence needs 66/).waitFor();
  await page.getByRole("textbox", { name: /Your text/ }).fill("It is a truth universally acknowledged. ".repeat(40));
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 2);
  assert.match(await fact(page, 0, "turned away"), /%/);
  assert.deepEqual(problems, []);
});

test("a lab that cannot be loaded says so, and the page goes on", async (t) => {
  const { page } = await lab(t);
  await page.route(/moe_lab_worker_bg[^/]*\.wasm/, (route) => route.fulfill({ status: 404 }));
  await page.getByRole("button", { name: "Train both" }).click();
  await page
    .getByRole("alert")
    .getByText(/There is no moe_lab_worker_bg/)
    .waitFor();
  await page.unroute(/moe_lab_worker_bg[^/]*\.wasm/);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 1);
});

test("a worker that dies takes nothing along: both go on from the step that they were saved at", async (t) => {
  const { page, problems } = await lab(t);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 27);
  // All that it tells after its end is an error, as from a trap.
  await page
    .workers()
    .at(-1)
    .evaluate(() => {
      setTimeout(() => {
        throw new Error("killed by a test");
      });
    });
  await page.getByRole("alert").getByText("The training stopped.").waitFor();
  const goOn = page.getByRole("button", { name: /^Go on from step \d+$/ });
  await goOn.waitFor();
  const step = Number.parseInt((await goOn.textContent()).match(/\d+$/)[0], 10);
  assert.ok(step >= 25 && step % 25 === 0, `saved at ${step}`);
  await workersEnded(page);
  await goOn.click();
  await afterSteps(page, step + 3);
  assert.equal(await page.getByRole("alert").count(), 0);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("resting").waitFor();
  // The killed worker's own error is all that there is to complain of.
  assert.deepEqual(
    problems.filter((problem) => !/killed by a test/.test(problem)),
    [],
  );
});

test("a training is saved as a file, opened again, and another file is refused", async (t) => {
  const { page, problems } = await lab(t);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 2);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("resting").waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page
      .getByRole("button", { name: /^Save after/ })
      .first()
      .click(),
  ]);
  assert.match(download.suggestedFilename(), /^collapse-a-step-\d+\.safetensors$/);
  const file = await download.path();
  const field = page.locator(".lab-open input");
  const steps = () => page.locator(".lab-steps").textContent();
  const before = await steps();
  await field.setInputFiles({ name: "letter.safetensors", mimeType: "", buffer: Buffer.from("Dear reader") });
  await page.getByRole("alert").getByText("no file of a training").waitFor();
  assert.equal(await steps(), before);
  await field.setInputFiles({ name: "mine.safetensors", mimeType: "", buffer: await readFile(file) });
  await page.getByRole("heading", { name: "mine.safetensors" }).first().waitFor();
  await afterSteps(page, Number.parseInt(download.suggestedFilename().match(/(\d+)\./)[1], 10) + 2);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("resting").waitFor();
  assert.deepEqual(problems, []);
});

test("a dense feed-forward becomes experts without a jump, and experts are merged at a price", async (t) => {
  const { page, problems } = await lab(t, `experiment="upcycle"`);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 3);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("resting").waitFor();
  const side = page.locator(".lab-side").first();
  await side.getByRole("button", { name: "Make 8 experts" }).click();
  const made = side.getByText(
    /^8 experts made after \d+ steps: held-out loss [\d.]+ → [\d.]+ nats per byte \([+-]0\.000\)$/,
  );
  await made.waitFor();
  await side.getByRole("button", { name: "Merge experts into one" }).click();
  await side.getByText(/^merged into one after \d+ steps/).waitFor();
  await side.getByRole("button", { name: "Make 8 experts" }).waitFor();
  await page.getByRole("button", { name: "10 steps" }).click();
  await page.getByText("resting").waitFor();
  assert.deepEqual(problems, []);
});

test("experts are distilled into one feed-forward, and what it cost is said", async (t) => {
  const { page, problems } = await lab(t, `experiment="choices"`);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 5);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("resting").waitFor();
  const side = page.locator(".lab-side").nth(1);
  await side.getByRole("button", { name: "Distil experts into one" }).click();
  await side.getByText("layers' error against the experts").waitFor({ timeout: 60_000 });
  const cost = side.getByText(
    /^distilled, after \d+ steps: held-out loss [\d.]+ with experts, [\d.]+ with their mean, now [\d.]+ nats per byte/,
  );
  await cost.waitFor({ timeout: 240_000 });
  await page.getByText("resting").waitFor();
  await side.getByRole("button", { name: "Make 8 experts" }).waitFor();
  assert.deepEqual(problems, []);
});

test("a text that comes with the page is fetched when it is to be learned", async (t) => {
  const { page, problems } = await lab(t);
  const fetched = [];
  page.on("request", (request) => {
    if (request.url().includes("/texts/lab/")) fetched.push(new URL(request.url()).pathname.split("/").at(-1));
  });
  await page.getByRole("combobox", { name: "Text" }).selectOption("json");
  assert.deepEqual(fetched, []);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 2);
  assert.deepEqual(fetched, ["json.txt"]);
  await page.getByRole("button", { name: "Start anew" }).click();
  await afterSteps(page, 1);
  assert.deepEqual(fetched, ["json.txt"]);
  assert.deepEqual(problems, []);
});

test("sliders turn both, stand in the link, and what takes too much memory is refused in words", async (t) => {
  const { page, problems } = await lab(t);
  const state = () => page.evaluate(() => document.querySelector("moe-playground").getState());
  await page.getByText("Sizes and settings of both").click();
  const slider = (name) => page.getByRole("slider", { name, exact: true });
  // Which expert a token asks is the rule's matter here.
  assert.ok(await slider("Experts per token").isDisabled());
  await slider("Experts").fill("1");
  assert.equal((await state()).experiment, "collapse experts=4");
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 1);
  await slider("Experts").fill("4");
  await slider("Expert's width").fill("4");
  await slider("Sequences a step").fill("5");
  await page.getByRole("button", { name: "Train both" }).click();
  await page
    .getByRole("alert")
    .getByText(/need about \d+ MB; here a training has 200 MB/)
    .waitFor();
  await page.getByRole("button", { name: "As the experiment has them" }).click();
  assert.equal((await state()).experiment, undefined, "as it begins, which is not told");
  assert.deepEqual(problems, []);
});

test("a worker that is ended from outside, without a word, is noticed", async (t) => {
  const { page } = await lab(t);
  await page.getByRole("button", { name: "Train both" }).click();
  await afterSteps(page, 27);
  // It ends itself: to the page that is silence.
  await page
    .workers()
    .at(-1)
    .evaluate(() => globalThis.close());
  await page.getByRole("alert").getByText("Its worker was ended, or is stuck.").waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: /^Go on from step \d+$/ }).click();
  await afterSteps(page, 28);
});
