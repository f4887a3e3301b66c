// Places where a figure is not seen at first: folded away, in a dialog, in a slide further on, behind a tab.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Figure } from "../lib/figure.mjs";
import { openHost } from "../lib/host.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** Where a figure is not seen at first: the place around it, and what its reader does to see it. */
const HIDDEN = {
  "a closed <details>": {
    body: (figures) => `<details><summary>More</summary>${figures}</details>`,
    show: (page) => page.locator("summary").first().click(),
  },
  "a closed <dialog>": {
    body: (figures) => `<button onclick="document.querySelector('dialog').showModal()">Open</button>
      <dialog style="max-width: none">${figures}</dialog>`,
    show: (page) => page.getByRole("button", { name: "Open" }).click(),
  },
  "the third slide of a carousel": {
    body: (figures) => `<div id="slides" style="width: 640px; overflow-x: auto; display: flex">
      ${["One", "Two", figures].map((slide) => `<div style="flex: none; width: 640px">${slide}</div>`).join("")}</div>`,
    show: (page) => page.locator("#slides").evaluate((it) => it.scrollTo(1280, 0)),
  },
  "a tab that is not chosen": {
    body: (figures) => `<button onclick="document.querySelector('#tab').hidden = false">Figures</button>
      <div id="tab" hidden>${figures}</div>`,
    show: (page) => page.getByRole("button", { name: "Figures" }).click(),
  },
};

/** How large a figure's panels are, and what is drawn in them. */
const sizes = (selector) =>
  [
    ...document
      .querySelector(selector)
      .shadowRoot.querySelectorAll(".moe-container :is(.panel, .slot, .matrix, .columns, .loss-chart)"),
  ]
    .map((it) => ({ name: it.getAttribute("class"), box: it.getBoundingClientRect() }))
    .map(({ name, box }) => `${name}: ${box.width.toFixed(1)} × ${box.height.toFixed(1)}`);

for (const [where, { body, show }] of Object.entries(HIDDEN)) {
  test(`a figure in ${where} is drawn as wide as its place once it is seen, also where it was loaded before`, async (t) => {
    const figure = (id, loading) => `<div style="width: 600px"><moe-playground id="${id}" loading="${loading}"
      backend="recorded" view="strip layers lanes load loss"></moe-playground></div>`;
    const { page, problems } = await openHost(
      site,
      t,
      `${body(figure("lazy", "lazy") + figure("eager", "eager"))}<hr>${figure("plain", "eager")}`,
    );
    const [lazy, eager, plain] = ["#lazy", "#eager", "#plain"].map((selector) => new Figure(page, selector));
    await plain.recorded();
    await eager.recorded();
    assert.equal(await lazy.host.getAttribute("data-state"), "waiting", "nobody sees it yet");
    await show(page);
    const expected = await page.evaluate(sizes, "#plain");
    assert.ok(expected.length > 50, `${expected}`);
    for (const { host, selector } of [lazy, eager]) {
      await host.locator(".slot").first().waitFor();
      assert.equal((await host.boundingBox()).width, 600);
      assert.deepEqual(await page.evaluate(sizes, selector), expected, selector);
    }
    assert.deepEqual(problems, []);
  });
}
