// Pages that are hard on a figure: sandboxed frames, loud style sheets, right to left,
// translators, clones and saved copies, and pages where nothing can be shown.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Figure, openFigure } from "../lib/figure.mjs";
import { openHost } from "../lib/host.mjs";
import { originServer } from "../lib/origin_server.mjs";
import { pageServer } from "../lib/page_server.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

test("in a sandboxed frame, whose origin is none, a figure runs live", async (t) => {
  const assets = await originServer(site.url);
  t.after(assets.close);
  const inside = `<!doctype html><title>Inside</title><script type=module src='${assets.url}assets/element.js'></script>
    <moe-playground max-tokens='1'></moe-playground>`;
  const host = await pageServer(
    `<!doctype html><title>A host</title><link rel="icon" href="data:,">
    <iframe sandbox="allow-scripts" width="1000" height="800" srcdoc="${inside}"></iframe>`,
  );
  t.after(host.close);
  const { page } = await openFigure(site, t, { path: host.url });
  const chip = page.frameLocator("iframe").locator("moe-playground .engine");
  await chip.filter({ hasText: /live on your/ }).waitFor();
});

test("in such a frame, where the host lets no other origin read its files, the site's page says why nothing starts", async (t) => {
  const headers = { "Access-Control-Allow-Origin": "https://other.example" };
  const server = await originServer(site.url, { fault: () => ({ headers }) });
  t.after(server.close);
  const host = await pageServer(
    `<!doctype html><title>A host</title><link rel="icon" href="data:,">
    <iframe sandbox="allow-scripts" width="1000" height="800" src="${server.url}"></iframe>`,
  );
  t.after(host.close);
  const { page } = await openFigure(site, t, { path: host.url });
  const figure = page.frameLocator("iframe").locator("moe-playground");
  const words = await figure.getByRole("alert").textContent();
  assert.match(words, /^The playground could not start\. A sandboxed frame .* Access-Control-Allow-Origin/);
  assert.equal(await figure.locator(".engine").textContent(), "no engine");
  assert.ok((await figure.locator(".token").count()) > 5, "the beginning of the recorded run stays");
});

test("where the element's script is gone the site's page says that nothing starts", async (t) => {
  const server = await originServer(site.url, { fault: (path) => path.includes("element.js") && { status: 404 } });
  t.after(server.close);
  const { figure } = await openFigure(site, t, { path: server.url });
  const words = await figure.host.getByRole("alert").textContent();
  assert.match(words, /^The playground could not start\. Its files did not come.* reload the page\.$/);
});

/** Everything that text inherits, set to something silly. */
const LOUD = `<style>
  body { letter-spacing: 4px; word-spacing: 9px; text-transform: uppercase; text-align: right; white-space: pre;
    text-indent: 40px; text-shadow: 2px 2px red; line-height: 3; font: italic 700 30px cursive; color: red; cursor: help;
    user-select: none; visibility: visible; list-style: square; border-collapse: separate; border-spacing: 9px }
</style>`;

/** Rules that a host has for whatever is on its page, and for the element by its name. */
const AGGRESSIVE = `<style>
  * { box-sizing: content-box; margin: 0; padding: 0; letter-spacing: 4px; word-spacing: 9px; line-height: 3; color: red;
    font: italic 700 30px cursive; text-transform: uppercase; text-align: right; text-indent: 40px; white-space: pre;
    text-shadow: 2px 2px red; list-style: square; border-collapse: separate; border-spacing: 9px; cursor: help;
    background: yellow; transition: all 1s; hyphens: auto; caption-side: bottom; accent-color: red }
  moe-playground { font-variant: small-caps; font-stretch: condensed; direction: rtl; quotes: none;
    word-break: break-all }
  body { margin: 8px }
  div, p, span, button, table, td, svg, path { display: inline !important; fill: red !important; color: red !important }
</style>`;

for (const [how, head] of Object.entries({ "of its own text": LOUD, "of everything": AGGRESSIVE })) {
  test(`what a host says ${how} does not come into a figure`, async (t) => {
    const { figure } = await openHost(site, t, `<moe-playground backend="recorded"></moe-playground>`, { head });
    const quiet = await openHost(site, t, `<moe-playground backend="recorded"></moe-playground>`);
    const styles = async (figure) => {
      await figure.recorded();
      return figure.host.evaluate(({ shadowRoot }) => {
        const of = (it) => {
          const style = getComputedStyle(it);
          const names = [...style].filter(
            (name) => !/^--|size|height|width|origin|inset|^(top|left|right|bottom|perspective)/.test(name),
          );
          return names.map((name) => `${it.className} ${name}: ${style.getPropertyValue(name)}`);
        };
        const picked = ".moe, .finding, .topic, .slot.first, .matrix .column-words span, .term small, td, li, .quiet";
        return [...shadowRoot.querySelector(".moe-container").querySelectorAll(picked)].slice(0, 120).flatMap(of);
      });
    };
    const [loud, calm] = [await styles(figure), await styles(quiet.figure)];
    assert.ok(calm.length > 1000);
    assert.equal(loud.length, calm.length);
    assert.deepEqual(loud.filter((line, at) => line !== calm[at]).slice(0, 10), []);
  });
}

test("in a page that runs from right to left a figure runs from left to right, and is left alone by translators", async (t) => {
  const { figure } = await openHost(
    site,
    t,
    `<div dir="rtl" lang="ar"><moe-playground backend="recorded"></moe-playground></div>`,
  );
  await figure.recorded();
  const root = figure.host.locator(".moe-container > .moe");
  assert.deepEqual(
    await root.evaluate((it) => [it.getAttribute("dir"), it.lang, it.translate, getComputedStyle(it).direction]),
    ["ltr", "en", false, "ltr"],
  );
  const terms = await figure.host
    .locator(".formula > *")
    .evaluateAll((all) => all.map((it) => it.getBoundingClientRect().left));
  assert.deepEqual(
    terms,
    [...terms].sort((a, b) => a - b),
  );
});

test("a figure whose texts were replaced by a translator goes on", async (t) => {
  const { page, figure, problems } = await openHost(site, t, `<moe-playground backend="recorded"></moe-playground>`, {
    newTokens: 4,
  });
  await figure.recorded();
  // As translators do it, though it says that they should not.
  await figure.host.evaluate(({ shadowRoot }) => {
    const walker = document.createTreeWalker(shadowRoot.querySelector(".moe-container"), NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const font = document.createElement("font");
      text.replaceWith(font);
      font.append(text.nodeValue);
    }
  });
  for (const name of ["Step forward", "Step forward", "Step back"]) await figure.button(name).click();
  await figure.tokens.nth(2).click();
  await page.keyboard.press("ArrowDown");
  await figure.button("Keys?").click();
  assert.deepEqual(problems, []);
});

test("a clone runs by itself, also one of a figure that was just loading", async (t) => {
  const { page, figure } = await openHost(site, t, `<moe-playground id="first" backend="recorded"></moe-playground>`);
  await figure.recorded();
  for (const state of ["loading", "mounted", "failed"]) {
    await page.evaluate((state) => {
      const first = document.querySelector("#first");
      const clone = /** @type {HTMLElement} */ (first.cloneNode(true));
      clone.id = `clone-${state}`;
      clone.dataset.state = state;
      first.replaceWith(clone);
      clone.after(first);
      first.remove();
      document.body.append(first);
    }, state);
    const clone = new Figure(page, `#clone-${state}`);
    await clone.host.scrollIntoViewIfNeeded();
    await clone.tokens.first().waitFor();
  }
});

test("a page that was saved with its figure shows what it had drawn, and draws it anew", async (t) => {
  const { page, figure } = await openHost(site, t, `<moe-playground backend="recorded"></moe-playground>`);
  await figure.recorded();
  const saved = await figure.host.evaluate((host) => {
    const options = { shadowRoots: [host.shadowRoot] };
    return /** @type {any} */ (host.parentElement).getHTML(options);
  });
  assert.match(saved, /moe-container/);
  const again = await openHost(site, t, saved);
  await again.figure.recorded();
  const counts = await again.figure.host.evaluate(({ shadowRoot }) =>
    [".moe-container", "#notice", ".panel-lanes", "#root"].map((it) => shadowRoot.querySelectorAll(it).length),
  );
  assert.deepEqual(counts, [1, 1, 1, 1]);
  assert.ok(await page.title());
});

test("where nothing can be shown the author's fallback stays, and the reason stands beside it", async (t) => {
  const { figure } = await openHost(
    site,
    t,
    `<moe-playground trace="nowhere.jsonl" model="https://assets.example/models/nowhere/"><p id="mine">My picture.</p></moe-playground>`,
  );
  await figure.notice.first().waitFor();
  await figure.button("Retry").first().waitFor();
  assert.ok(await figure.page.locator("#mine").isVisible());
  assert.equal(await figure.host.locator(".panel:visible").count(), 0, "no empty panels");
  await figure.button("Dismiss").click();
  assert.ok(await figure.page.locator("#mine").isVisible());
});

test("keys that move about in a figure do not scroll the page around it", async (t) => {
  const { page, figure } = await openHost(
    site,
    t,
    `<div style="height: 700px"></div><moe-playground backend="recorded"></moe-playground><div style="height: 2000px"></div>`,
  );
  await figure.host.scrollIntoViewIfNeeded();
  await figure.recorded();
  await figure.tokens.nth(1).click();
  // The strip is just above the window now.
  await figure.tokens.nth(1).evaluate((it) => scrollBy(0, it.getBoundingClientRect().bottom + 20));
  const before = await page.evaluate(() => scrollY);
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "End", "Home", "]", "d"]) await page.keyboard.press(key);
  await figure.selected({ token: "\\d+" });
  assert.equal(await page.evaluate(() => scrollY), before);
});

test("with the documented reserved height nothing below a figure moves", async (t) => {
  const text = readFileSync(new URL("../../../docs/EMBEDDING.md", import.meta.url), "utf8");
  const [, css] = text.match(/```css\n(moe-playground[^`]+)```/);
  for (const view of ["full", "lanes", "strip lanes"]) {
    const attribute = view === "full" ? "" : ` view="${view}"`;
    const { page, figure } = await openHost(
      site,
      t,
      `<main style="max-width: 760px"><moe-playground backend="recorded"${attribute}><p>Loading.</p></moe-playground><p>Below.</p></main>`,
      // All of it is in the window: what moves outside is not told.
      { head: `<style>${css}</style>`, viewport: { width: 1440, height: 2200 } },
    );
    await figure.recorded();
    const shifts = await page.evaluate(() =>
      window.moe.shifts.map(({ value, sources }) => ({
        value,
        nodes: sources.map(
          ({ node, currentRect }) => `${node?.className || node?.nodeName} ${JSON.stringify(currentRect)}`,
        ),
      })),
    );
    assert.deepEqual(shifts, [], view);
  }
});

test("a figure has a width where its place takes the width of what stands in it, and leaves the host's dialog its Escape", async (t) => {
  const figure = '<moe-playground view="load" backend="recorded"></moe-playground>';
  const places = {
    dialog: `<dialog>${figure}</dialog>`,
    float: `<div style="float: left">${figure}</div>`,
    "a flexible row": `<div style="display: flex">${figure}</div>`,
    "a cell": `<table><tr><td>${figure}</td></tr></table>`,
    "an inline block": `<div style="display: inline-block">${figure}</div>`,
  };
  for (const [name, place] of Object.entries(places)) {
    const { page, figure: it } = await openHost(site, t, place);
    await page.evaluate(() => document.querySelector("dialog")?.showModal());
    await it.recorded();
    await it.panel("load").locator(".columns").waitFor();
    const { width } = await it.host.boundingBox();
    assert.ok(width >= 320, `${name}: ${width}`);
    if (name !== "dialog") continue;
    await it.panel("load").locator("button").first().focus();
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector("dialog").open);
  }
});
