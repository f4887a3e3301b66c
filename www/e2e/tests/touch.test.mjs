// On a phone: one view at a time, fingers instead of a mouse, nothing wider than the window.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const VIEWS = { Lanes: "lanes", Layers: "layers", Token: "token", Load: "load", Loss: "loss" };
/** CSS pixels that a finger needs at least (WCAG 2.2, target size). */
const FINGER = 24;

function openPhone(t, width = 390) {
  return openFigure(site, t, { viewport: { width, height: 844 }, hasTouch: true, isMobile: true });
}

/** By how many pixels the page is wider than its window. */
function excessWidth(page) {
  return page.evaluate(() => document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth);
}

/**
 * What can be tapped and is on the screen, with its size, where that is too small for a finger. The cell of the matrix is
 * left out: it marks the selection, and any tap on the matrix goes to the column under the finger, as on the text.
 */
function smallTargets(figure) {
  return figure.host.evaluate(({ shadowRoot }, least) => {
    const targets = [...shadowRoot.querySelectorAll("button:not(.matrix-cell), select, summary, input, textarea")];
    return targets
      .filter((it) => it.checkVisibility({ visibilityProperty: true }) && it.getClientRects().length > 0)
      .map((it) => ({ name: it.ariaLabel ?? it.title ?? it.textContent, box: it.getBoundingClientRect() }))
      .filter(({ box }) => box.width < least || box.height < least)
      .map(({ name, box }) => `${name}: ${box.width.toFixed(0)} × ${box.height.toFixed(0)}`);
  }, FINGER);
}

test("every view is a tap away, and none is wider than the window", async (t) => {
  const { page, figure, problems } = await openPhone(t);
  await figure.finished();
  for (const [name, area] of Object.entries(VIEWS)) {
    await figure.button(name).tap();
    await figure.panel(area).waitFor({ state: "visible" });
    for (const other of Object.values(VIEWS).filter((other) => other !== area)) {
      assert.ok(!(await figure.panel(other).isVisible()), `${other} beside ${area}`);
    }
    assert.equal(await excessWidth(page), 0, name);
    assert.deepEqual(await smallTargets(figure), [], name);
  }
  assert.deepEqual(problems, []);
});

test("the tabs stay where they are, whatever view is in front", async (t) => {
  const { page, figure } = await openPhone(t);
  await figure.finished();
  const places = [];
  for (const name of Object.keys(VIEWS)) {
    await figure.button(name).tap();
    await page.evaluate(() => scrollTo(0, 0));
    places.push(Math.round((await figure.host.locator(".moe-container .tabs").boundingBox()).y));
  }
  assert.equal(new Set(places).size, 1, `${places}`);
});

test("a tap on a token selects it, and a tap on the engine's chip says why it is this one", async (t) => {
  const { figure } = await openPhone(t);
  const { header } = await figure.finished();
  await figure.button("Token").tap();
  await figure.tokens.nth(2).tap();
  await figure.selected({ token: 2 });
  await figure.engine.locator("summary").tap();
  const more = await figure.engine.locator(".more");
  assert.ok(await more.isVisible());
  assert.ok((await more.textContent()).length > header.origin.source.length);
});

test("the narrowest phone shows the whole page too", async (t) => {
  const { page, figure } = await openPhone(t, 320);
  await figure.finished();
  for (const name of Object.keys(VIEWS)) {
    await figure.button(name).tap();
    assert.equal(await excessWidth(page), 0, name);
  }
});

test("what fewer slots cost is said beside the slider that a finger moves", async (t) => {
  const { figure } = await openPhone(t);
  await figure.finished();
  await figure.button("Lanes").tap();
  const [words, slider] = [figure.host.locator(".loss-beside"), figure.capacityFactor];
  assert.match(await words.textContent(), /\d/);
  await slider.scrollIntoViewIfNeeded();
  const [above, below] = [await words.boundingBox(), await slider.boundingBox()];
  assert.ok(above.height > 10 && above.y >= 0, `${above.y}`);
  assert.ok(above.y + above.height <= below.y + 1, `${above.y} + ${above.height}, ${below.y}`);
  assert.ok(below.y - above.y < 200, "both are seen together");
});
