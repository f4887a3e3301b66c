// A bug of the application ends it for one figure and for no other on the page. It is a real one: somebody's script, or an
// extension, keeps the figure from changing its own tree, which the library that draws does not survive.

import assert from "node:assert/strict";
import { test } from "node:test";

import { breakDrawing, Figure, openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const STOPPED = "This figure stopped working.";

const mend = (page) => page.evaluate(() => /** @type {any} */ (window).mend());

const errors = (page) => page.evaluate(() => window.moe.errors.map(({ from, what }) => [from, what]));

/** Notes what is asked for of the module. */
function noteRequests(page, names) {
  page.on("request", (request) => {
    const name = new URL(request.url()).pathname.match(/\/(\w+_bg)[^/]*\.wasm$/)?.[1];
    if (name) names.push(name);
  });
}

test("a bug is said in its figure, with a reload, and told to its host; the others go on", async (t) => {
  const asked = [];
  const { page } = await openFigure(site, t, {
    path: "examples/two.html",
    attributes: { backend: "recorded" },
    prepare: (page) => noteRequests(page, asked),
  });
  const [roomy, tight] = [new Figure(page, "#roomy"), new Figure(page, "#tight")];
  for (const figure of [roomy, tight]) {
    await figure.host.scrollIntoViewIfNeeded();
    await figure.stepCount.waitFor();
  }
  await roomy.tokens.nth(3).click();
  const before = await roomy.host.evaluate((it) => /** @type {any} */ (it).getState());

  await breakDrawing(tight);
  await tight.tokens.nth(1).click();
  await tight.host.getByText(STOPPED).waitFor();
  await mend(page);
  await tight.host.getByRole("button", { name: "Reload" }).waitFor();
  const details = tight.host.getByRole("alert").locator("details");
  assert.equal(await details.evaluate((it) => it.open), false, "its own words wait until they are asked for");
  await details.getByText("Details").click();
  assert.match(await details.textContent(), /panicked at .*failed to/s);
  assert.deepEqual(await errors(page), [["tight", STOPPED]]);

  // The other one does not notice.
  assert.equal(await roomy.host.getByRole("alert").isHidden(), true);
  assert.deepEqual(await roomy.host.evaluate((it) => /** @type {any} */ (it).getState()), before);
  await roomy.tokens.nth(2).click();
  await roomy.selected({ token: 2 });

  // Who asks for the broken one again gets another instance, of the bytes that are there.
  await tight.host.evaluate((it) => /** @type {any} */ (it).load());
  await tight.tokens.nth(2).click();
  await tight.selected({ token: 2 });
  assert.equal(await tight.host.getByText(STOPPED).isHidden(), true);
  assert.deepEqual(asked, ["web_bg"]);
});

test("a figure that meets its bug again at once stays with what it says", async (t) => {
  const { page, figure } = await openFigure(site, t, {
    path: "embed.html?backend=recorded&view=strip%20lanes&loading=eager",
  });
  await figure.tokens.first().waitFor();
  await figure.host.evaluate((it) => Object.assign(it, { id: "only" }));
  await breakDrawing(figure);
  // More than there was: the panel of the token comes with the view.
  await figure.host.evaluate((it) => Object.assign(it, { view: "strip lanes token loss" }));
  await figure.host.getByText(STOPPED).waitFor();
  await figure.host.evaluate((it) => void (/** @type {any} */ (it).load().catch(() => {})));
  await page.waitForFunction(() => window.moe.errors.length === 2);
  // Nobody tries a third time.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
  assert.equal(await figure.host.getAttribute("data-state"), "failed");
  assert.deepEqual(await errors(page), [
    ["only", STOPPED],
    ["only", STOPPED],
  ]);
  assert.equal(await figure.host.getByText(STOPPED).isVisible(), true);
});
