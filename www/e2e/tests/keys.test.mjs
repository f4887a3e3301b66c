// Which keys the page hears when: events of every shape, as browsers, input methods and form fillers send them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** Dispatches a keydown on what has the focus, else on the page. Was it taken? */
function press(page, init) {
  return page.evaluate((init) => {
    const shape = { bubbles: true, cancelable: true, composed: true, ...init };
    const isBare = !("key" in init) || init.isBare;
    const event = isBare ? new Event("keydown", shape) : new KeyboardEvent("keydown", shape);
    if (init.isBare) Object.assign(event, { key: init.key });
    let target = document.activeElement ?? document.body;
    while (target.shadowRoot?.activeElement) target = target.shadowRoot.activeElement;
    target.dispatchEvent(event);
    return event.defaultPrevented;
  }, init);
}

test("only keys that are pressed for themselves are heard", async (t) => {
  const { page, figure, problems } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  const cases = [
    [{}, false],
    [{ key: "ArrowRight" }, true],
    [{ key: "]" }, true],
    [{ key: "]", altKey: true }, true],
    [{ key: "]", altKey: true, ctrlKey: true, modifierAltGraph: true }, true],
    [{ key: "]", ctrlKey: true }, false],
    [{ key: "[", metaKey: true }, false],
    [{ key: "d", altKey: true }, false],
    [{ key: "d", isComposing: true }, false],
    [{ key: "d", keyCode: 229 }, false],
    [{ key: "q" }, false],
    [{ key: "ArrowLeft", repeat: true }, true],
    // Of a script, which has nothing else of a keyboard event.
    [{ key: "ArrowRight", isBare: true }, true],
    [{ key: "q", isBare: true }, false],
    [{ key: 7, isBare: true }, false],
    [{ key: null, isBare: true }, false],
    [{ key: "D", modifierCapsLock: true }, true],
    [{ key: "D", shiftKey: true }, false],
    [{ key: "в", code: "KeyD" }, true],
    [{ key: "ł", code: "KeyL", modifierAltGraph: true }, false],
    [{ key: "Dead", code: "KeyD" }, false],
    [{ key: "Process", code: "KeyD" }, false],
    [{ key: "Unidentified" }, false],
  ];
  for (const [init, heard] of cases) assert.equal(await press(page, init), heard, JSON.stringify(init));
  assert.deepEqual(problems, []);
});

test("a held key moves on, and does not switch there and back", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded" } });
  await figure.recorded();
  await press(page, { key: "Home" });
  await figure.selected({ token: 0 });
  for (let times = 0; times < 3; times++) await press(page, { key: "ArrowRight", repeat: times > 0 });
  await figure.selected({ token: 3 });
  for (let times = 0; times < 4; times++) assert.ok(await press(page, { key: "?", repeat: times > 0 }));
  await figure.host.getByText("play or pause").waitFor();
});

test("keys that type a character can be switched off, by the author and by the reader", async (t) => {
  const { page, figure } = await openFigure(site, t, { attributes: { backend: "recorded", keys: "off" } });
  await figure.recorded();
  for (const key of ["d", "[", ".", "?"]) assert.equal(await press(page, { key }), false, key);
  assert.ok(await press(page, { key: "ArrowRight" }));
  await figure.host.getByRole("button", { name: "Keys" }).click();
  await figure.host.getByLabel("Letters and signs move through the figure").check();
  assert.equal(await figure.host.getAttribute("keys"), "on");
  await page.evaluate(() => {
    const deep = document.querySelector("moe-playground").shadowRoot.activeElement;
    deep instanceof HTMLElement && deep.blur();
  });
  assert.ok(await press(page, { key: "d" }));
});

test("Enter runs the prompt, and not while a character is composed", async (t) => {
  const { page, figure } = await openFigure(site, t, { newTokens: 1 });
  const { header } = await figure.finished();
  const { run } = header.request;
  await figure.prompt.fill("Only here");
  for (const shape of [{ keyCode: 229 }, { isComposing: true }, { shiftKey: true }]) {
    assert.equal(await press(page, { key: "Enter", ...shape }), false, JSON.stringify(shape));
  }
  assert.ok(await press(page, { key: "Enter" }));
  const after = await figure.finished({ after: run });
  assert.deepEqual([after.header.request.run, after.header.request.prompt], [run + 1, "Only here"]);
});

test("what was typed is what is run, whatever the text", async (t) => {
  const { figure, page } = await openFigure(site, t, { newTokens: 1 });
  let { run } = (await figure.finished()).header.request;
  for (const text of ["a\r\nb", "x\u0000y", "\ufeffThe", "\u202e86 %", "half \ud83d of one", "e\u0301\u200d"]) {
    await page.evaluate((text) => document.querySelector("moe-playground").run(text), text);
    const { header, steps } = await figure.finished({ after: run });
    run = header.request.run;
    const bytes = steps[0].tokens.flatMap(({ bytes }) => bytes);
    const ran = Buffer.from(bytes).toString("utf8");
    assert.equal(ran, header.request.prompt, JSON.stringify(text));
    assert.equal(await figure.prompt.inputValue(), ran, JSON.stringify(text));
  }
});
