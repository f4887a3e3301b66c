// Prompts that nobody planned for: none, far too long, in pictures, from right to left.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { textOf } from "../lib/traces.mjs";

const site = suite();

/** A page whose first live run is over. */
async function openLive(t) {
  const opened = await openFigure(site, t);
  return { ...opened, first: await opened.figure.finished() };
}

/** Runs a prompt that cannot run: a message says so, and neither text nor run is lost. Returns the message. */
async function refused({ figure, first }, prompt, what) {
  await figure.run(prompt);
  const message = await figure.told(what);
  const told = await figure.error(what);
  assert.equal(`${told.what} ${told.why} ${told.try_this}`, message.replace(/Retry|×/g, "").trim(), "as an event too");
  assert.equal(await figure.prompt.inputValue(), prompt, "the text is still there");
  assert.deepEqual(await figure.trace(), first, "the run on the screen stays");
  return message;
}

test("an empty prompt is explained", async (t) => {
  const live = await openLive(t);
  const message = await refused(live, "", "The prompt is empty.");
  assert.match(message, /The prompt is empty.* Type a few words first/);
});

test("30,000 characters meet a clear limit", async (t) => {
  const live = await openLive(t);
  const message = await refused(live, "word ".repeat(6000), "The prompt is too long");
  assert.match(message, /30000 of at most 20000 characters.* Remove 10000 characters/);
});

test("10,000 characters are counted in tokens", async (t) => {
  const live = await openLive(t);
  const message = await refused(live, "word ".repeat(2000), "The prompt is too long");
  const { max_tokens } = live.first.header.model;
  assert.match(message, new RegExp(`\\d+ tokens long; this model sees at most ${max_tokens}.* Shorten it`));
  const hint = live.figure.host.locator(".prompt-hint");
  await hint.filter({ hasText: new RegExp(`^\\s*\\d+ of ${max_tokens} tokens: too long to run`) }).waitFor();
});

test("a prompt of more tokens than the model sees is explained by the model", async (t) => {
  const live = await openLive(t);
  const message = await refused(live, "Ж".repeat(1000), "The prompt is too long");
  const { max_tokens } = live.first.header.model;
  assert.match(message, new RegExp(`\\d+ tokens long; this model sees at most ${max_tokens}.* Shorten it`));
});

test("after a refusal the next prompt runs", async (t) => {
  const { figure, first } = await openLive(t);
  await figure.run("");
  await figure.told("The prompt is empty.");
  await figure.run("Once");
  const { header } = await figure.finished({ after: first.header.request.run });
  assert.equal(header.request.prompt, "Once");
});

/** Texts on the screen at every step of the run, from the last to the first. */
async function screenAtEveryStep(figure, numSteps) {
  const texts = [];
  for (let number = numSteps; number >= 1; number -= 1) {
    await figure.atStep(number);
    texts.push(await figure.host.evaluate(({ shadowRoot }) => shadowRoot.textContent));
    if (number > 1) await figure.button("Step back").click();
  }
  return texts;
}

/** Runs a prompt whose characters are cut into tokens of a few bytes; nothing on the screen is a broken character. */
async function runsWhole({ figure, first }, prompt) {
  await figure.run(prompt);
  const { steps } = await figure.finished({ after: first.header.request.run });
  assert.equal(textOf(steps[0].tokens), prompt, "not a byte is lost");
  assert.ok(steps[0].tokens.length > [...prompt].length / 2, "there are fragments to join");
  for (const text of await screenAtEveryStep(figure, steps.length)) {
    assert.ok(!text.includes("\u{fffd}"), "no replacement character on the screen");
  }
  const strip = await figure.tokens.locator(".token-text").allTextContents();
  return { steps, strip: strip.join("") };
}

test("emoji and joined characters run and are shown whole", async (t) => {
  const live = await openLive(t);
  const prompt = "🙂 café 👩‍👩‍👧 日本";
  const { strip } = await runsWhole(live, prompt);
  assert.ok(strip.startsWith(prompt.replaceAll(" ", "·")), strip);
  assert.deepEqual(live.problems, []);
});

test("flags, conjuncts, letters of jamo and keycaps are one character each on the screen", async (t) => {
  const live = await openLive(t);
  const characters = ["🇩🇪", "🇫🇷", "क्षि", "\u{1112}\u{1161}\u{11ab}", "1\u{fe0f}\u{20e3}"];
  await runsWhole(live, characters.join(""));
  const texts = await live.figure.tokens.locator(".token-text").allTextContents();
  for (const character of characters) {
    assert.equal(texts.filter((text) => text.includes(character)).length, 1, `${character} in ${texts.join("|")}`);
  }
  // A part of one that stood beside it would be one character more.
  const shown = texts.join("").slice(0, characters.join("").length);
  assert.equal(shown, characters.join(""));
  assert.deepEqual(live.problems, []);
});

test("text from right to left runs, is laid out from the right, and arrows follow it", async (t) => {
  const live = await openLive(t);
  const { figure, page } = live;
  const prompt = "שלום עולם";
  const { strip } = await runsWhole(live, prompt);
  assert.ok(strip.startsWith(prompt.replaceAll(" ", "·")), strip);
  assert.equal(await figure.host.getByRole("listbox", { name: "Tokens" }).getAttribute("dir"), "rtl");
  const [first, second] = [await figure.tokens.nth(0).boundingBox(), await figure.tokens.nth(2).boundingBox()];
  assert.ok(first.x > second.x, "the text begins at the right");
  await figure.tokens.first().click();
  await figure.selected({ token: 0 });
  await page.keyboard.press("ArrowLeft");
  await figure.selected({ token: 1 });
  await page.keyboard.press("ArrowRight");
  await figure.selected({ token: 0 });
  assert.deepEqual(live.problems, []);
});
