// Readers who see, hear, point or print in another way: forced colours, paper, screen readers, right to left.

import assert from "node:assert/strict";
import { test } from "node:test";

import { openFigure } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();
const RECORDED = { backend: "recorded" };

/** Opens a figure that shows the recorded run, or with a prompt the live run of it. */
async function open(t, options = {}) {
  const opened = await openFigure(site, t, { attributes: RECORDED, ...options });
  await (options.attributes ? opened.figure.finished() : opened.figure.recorded());
  return opened;
}

test("pop-ups: one at a time, gone at a press elsewhere and at Escape, which gives the focus back", async (t) => {
  const { page, figure } = await open(t, { attributes: { backend: "cpu" } });
  const popups = figure.host.locator(".moe-container details:has(> .more)");
  const count = await popups.count();
  assert.equal(count, 11, "model, engine, generation, rule, and seven words that explain themselves");
  const opened = () => popups.evaluateAll((all) => all.flatMap((it, at) => (it.hasAttribute("open") ? [at] : [])));
  for (let at = 0; at < count; at += 1) {
    await popups.nth(at).locator("summary").first().click();
    assert.deepEqual(await opened(), [at]);
  }
  await page.mouse.click(5, 5);
  assert.deepEqual(await opened(), [], "a press elsewhere");
  for (let at = 0; at < count; at += 1) {
    const summary = popups.nth(at).locator("summary").first();
    await summary.click();
    await popups
      .nth(at)
      .locator(".more")
      .click({ position: { x: 4, y: 4 } });
    assert.deepEqual(await opened(), [at], "a press inside");
    await page.keyboard.press("Escape");
    assert.deepEqual(await opened(), [], "Escape");
  }
  await popups.nth(2).locator("summary").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Escape");
  assert.ok(
    await popups
      .nth(2)
      .locator("summary")
      .evaluate((it) => it.matches(":focus")),
  );
  await page.keyboard.press("Enter");
  await figure.prompt.focus();
  assert.deepEqual(await opened(), [], "the focus goes elsewhere");
});

test("a word explains itself by a key, and Escape closes it", async (t) => {
  const { page, figure } = await open(t);
  const word = figure.panel("lanes").locator(".explained").filter({ hasText: "capacity factor" }).first();
  await word.locator("summary").focus();
  await page.keyboard.press("Enter");
  const more = word.locator(".more");
  assert.match(await more.textContent(), /as a multiple of what it would need/);
  assert.ok(await more.isVisible());
  assert.match(await more.getByRole("link").getAttribute("href"), /^https:/);
  await page.keyboard.press("Escape");
  assert.ok(!(await more.isVisible()));
});

test("names that are spoken say what became of a token, and tell the buttons apart", async (t) => {
  const { figure } = await open(t);
  const names = await figure.tokens.allTextContents();
  assert.ok(
    names.every((name) => /served|turned away|dropped/.test(name)),
    `${names}`,
  );
  assert.equal(names.filter((name) => /turned away once/.test(name)).length, 1);
  const buttons = await figure.host
    .locator(".moe-container .as-table")
    .evaluateAll((all) => all.map((it) => it.ariaLabel));
  assert.equal(new Set(buttons).size, buttons.length, `${buttons}`);
  const regions = figure.host.locator(".moe-container section");
  const labels = await regions.evaluateAll((all) => all.map((it) => it.ariaLabel));
  assert.ok(labels.includes("Capacity lanes") && new Set(labels).size === labels.length, `${labels}`);
  assert.equal(await figure.host.locator(".moe-container output").count(), 0, "the slider speaks for itself");
});

test("live regions speak once nothing changes any more, and of a run what came of it", async (t) => {
  const { page, figure } = await open(t, {
    attributes: { backend: "cpu" },
    newTokens: 4,
    prepare: (page) =>
      page.addInitScript(() => {
        window.moeSpoken = [];
        addEventListener("moe-ready", ({ target }) => {
          const { shadowRoot } = /** @type {Element} */ (target);
          const hear = ({ target }) => {
            const region = target.parentElement?.closest("[aria-live]") ?? target.closest?.("[aria-live]");
            if (region?.textContent) window.moeSpoken.push(region.textContent);
          };
          const options = { subtree: true, childList: true, characterData: true };
          new MutationObserver((records) => records.forEach(hear)).observe(shadowRoot, options);
        });
      }),
  });
  await figure.run("Good morning");
  await figure.host.locator("[aria-live]").filter({ hasText: "The model wrote" }).waitFor({ state: "attached" });
  const spoken = await page.evaluate(() => [...new Set(window.moeSpoken)]);
  assert.ok(
    spoken.some((words) => /^The model wrote “.*”\. .*requests.*nats/s.test(words)),
    spoken.join("\n"),
  );
  assert.ok(spoken.length <= 6, `a run of five steps is not read out step by step:\n${spoken.join("\n")}`);
});

test("in forced colours everything that means something is there and can be told apart", async (t) => {
  const { page, figure } = await open(t, { forcedColors: "active" });
  const paint = (selector, property = "background-color") =>
    figure.host
      .locator(`.moe-container ${selector}`)
      .first()
      .evaluate((it, property) => getComputedStyle(it).getPropertyValue(property), property);
  const paper = await page.evaluate(() => {
    document.body.style.background = "Canvas";
    return getComputedStyle(document.body).backgroundColor;
  });
  for (const shape of [
    ".transport span",
    ".gate .fill",
    ".token-lane .level",
    ".slot.first.r4",
    ".column .served",
    ".door",
  ]) {
    assert.notEqual(await paint(shape), paper, shape);
  }
  const marks = {
    ".lane-name": ".lane.is-selected .lane-name",
    ".layer-name": ".matrix-layer.is-selected .layer-name",
  };
  await figure.host.locator(".lane-name").first().click();
  for (const [any, selected] of Object.entries(marks)) {
    const colours = await figure.host
      .locator(`.moe-container ${any}`)
      .evaluateAll((all) => all.map((it) => getComputedStyle(it).borderInlineStartColor));
    const own = await paint(selected, "border-inline-start-color");
    assert.equal(colours.filter((colour) => colour === own).length, 1, any);
  }
  assert.equal(await paint(".token.is-selected", "outline-style"), "solid");
});

test("on paper a dark phone's figure is light and whole, with everything that is filled", async (t) => {
  const { page, figure } = await open(t, { colorScheme: "dark", viewport: { width: 390, height: 844 } });
  await figure.host.evaluate((it) => it.setAttribute("theme", "dark"));
  await page.emulateMedia({ media: "print" });
  const whole = await figure.host.locator(".moe-container .moe").evaluate((it) => {
    const { colorScheme, printColorAdjust } = getComputedStyle(it);
    const panels = [...it.querySelectorAll(".panel")];
    return { colorScheme, printColorAdjust, hidden: panels.filter((panel) => !panel.checkVisibility()).length };
  });
  assert.deepEqual(whole, { colorScheme: "light", printColorAdjust: "exact", hidden: 0 });
  const kept = await figure.host
    .locator(".moe-container .fill")
    .first()
    .evaluate((it) => getComputedStyle(it).printColorAdjust);
  assert.equal(kept, "exact");
  assert.ok(!(await figure.button("Run").isVisible()), "nothing to press on paper");
});

/** The horizontal middle of the selected token in each view. */
function middles(figure) {
  return figure.host.evaluate(({ shadowRoot }) => {
    const middle = (selector) => {
      const { left, right } = shadowRoot.querySelector(`.moe-container ${selector}`).getBoundingClientRect();
      return (left + right) / 2;
    };
    const frame = (selector) => shadowRoot.querySelector(`.moe-container ${selector}`).getBoundingClientRect();
    const loss = frame(".loss-chart");
    return {
      strip: middle(".token.is-selected"),
      word: middle(".matrix .column-words .is-selected"),
      column: middle(".matrix-column rect"),
      cell: middle(".matrix-cell"),
      lossShare: (middle(".loss-selected") - loss.left) / loss.width,
    };
  });
}

for (const [script, prompt] of [
  ["Hebrew", "שלום עולם, זה טקסט"],
  ["Arabic", "مرحبا بالعالم"],
  ["Latin", "Hello world, hello"],
]) {
  test(`${script}: strip, layers and loss run in one direction, and a click finds the token under it`, async (t) => {
    const { page, figure } = await open(t, { attributes: { backend: "cpu", prompt, "max-tokens": "0" } });
    await figure.tokens.first().click();
    await figure.selected({ token: 0 });
    const count = await figure.tokens.count();
    const isRightToLeft = script !== "Latin";
    const first = await middles(figure);
    assert.ok(Math.abs(first.word - first.column) < 3 && Math.abs(first.word - first.cell) < 3, JSON.stringify(first));
    assert.equal(first.lossShare > 0.5, isRightToLeft, JSON.stringify(first));
    await page.keyboard.press("End");
    await figure.selected({ token: count - 1 });
    const last = await middles(figure);
    assert.equal(last.word < first.word, isRightToLeft, "the last token is where the text ends");
    assert.equal(last.strip < first.strip, isRightToLeft);
    // The bars of the loss: where the second token's is, a click selects it.
    const chart = await figure.host.locator(".moe-container .loss-chart").boundingBox();
    const share = (1.5 / count) * chart.width;
    const at = { x: isRightToLeft ? chart.width - share : share, y: chart.height / 2 };
    await figure.host.locator(".moe-container .loss-chart").click({ position: at });
    await figure.selected({ token: 1 });
    const word = await figure.host.locator(".moe-container .matrix .column-words span").nth(2).boundingBox();
    const field = await figure.host.locator(".moe-container .matrix-field").nth(1).boundingBox();
    await page.mouse.move(word.x + word.width / 2, field.y + 5);
    await page.mouse.down();
    await page.mouse.up();
    await figure.selected({ token: 2, layer: 1 });
    const title = await figure.host.locator(".moe-container .matrix-field").nth(1).getAttribute("title");
    assert.match(title, /^Token 2 /, "the mouse is told what lies under it");
  });
}

test("a blank that stands alone is seen in the lanes", async (t) => {
  const { figure } = await open(t, { attributes: { backend: "cpu", prompt: "a  b   c", "max-tokens": "0" } });
  const empty = await figure.host
    .locator(".moe-container .slots .slot:not(.is-free)")
    .evaluateAll((all) => all.filter((it) => !it.textContent.trim()).length);
  assert.equal(empty, 0);
});

test("on a phone the slots show their tokens", async (t) => {
  const { figure } = await open(t, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const words = figure.host.locator(".moe-container .slots .slot:not(.is-free) span");
  const seen = await words.evaluateAll((all) => all.filter((it) => it.checkVisibility() && it.clientWidth > 0).length);
  assert.equal(seen, await words.count());
  assert.ok(seen > 20);
});

test("a table has room for its rows", async (t) => {
  const { figure } = await open(t);
  for (const button of await figure.host.locator(".moe-container .as-table").all()) await button.click();
  const rows = await figure.host.locator(".moe-container .table-twin").evaluateAll((all) =>
    all.map((twin) => {
      const frame = (
        twin.closest(".panel-layers, .panel-token")?.querySelector(".panel-body") ?? twin
      ).getBoundingClientRect();
      const rows = [...twin.querySelectorAll("tbody tr")].map((row) => row.getBoundingClientRect());
      const seen = rows.filter(({ bottom }) => bottom <= frame.bottom + 1).length;
      return { of: twin.closest(".panel").ariaLabel, seen, all: rows.length };
    }),
  );
  assert.equal(rows.length, 6);
  for (const { of, seen, all } of rows) assert.ok(seen >= Math.min(all, 6), `${of}: ${seen} of ${all} rows`);
});
