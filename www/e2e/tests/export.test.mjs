// What a reader takes away: pictures that show what the screen shows, the run as data, the link, and the dialogs for it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { openFigure, recordedRun } from "../lib/figure.mjs";
import { suite } from "../lib/suite.mjs";
import { fromJsonLines } from "../lib/traces.mjs";

const site = suite();
const RECORDED = { backend: "recorded" };

/** The page with its recorded run. */
async function openRecorded(t, options = {}) {
  const opened = await openFigure(site, t, { attributes: RECORDED, newTokens: null, ...options });
  await opened.figure.recorded();
  return opened;
}

/** A file of the figure, as bytes. */
async function fileOf(page, type, options = {}) {
  const bytes = await page.evaluate(
    async ([type, options]) => {
      const blob = await document.querySelector("moe-playground").toBlob(type, options);
      return [...new Uint8Array(await blob.arrayBuffer())];
    },
    [type, options],
  );
  return Buffer.from(bytes);
}

/** The texts of an SVG, in its order. */
const svgTexts = (page, svg) =>
  page.evaluate(
    (svg) =>
      [...new DOMParser().parseFromString(svg, "image/svg+xml").querySelectorAll("text")].map(
        ({ textContent }) => textContent,
      ),
    svg.toString(),
  );

/** Letters without blanks, sorted by the words they are in: whatever the order of painting. */
const words = (texts) =>
  texts
    .flatMap((text) => text.split(/\s+/))
    .filter(Boolean)
    .map((word) => word.toUpperCase())
    .sort();

/** Letters in the order of the alphabet: a line may be broken within a word. */
const letters = (texts) => [...texts.join("").replaceAll(/\s/g, "").toUpperCase()].sort().join("");

/** What a panel shows as text: the text nodes that can be seen, without controls. */
function seenTexts(page, panel) {
  return page.evaluate((panel) => {
    const body = document.querySelector("moe-playground").shadowRoot.querySelector(`.panel-${panel} .panel-body`);
    const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    const texts = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      const range = document.createRange();
      range.selectNodeContents(node);
      const { width, height } = range.getBoundingClientRect();
      const isControl = parent.closest(
        "select, input, details:not(.explained), .more, .surgery, .mute, .controls, .hidden, [role=status]",
      );
      if (!isControl && width * height > 0 && parent.checkVisibility()) texts.push(node.textContent);
    }
    return texts;
  }, panel);
}

const PANELS = ["strip", "layers", "lanes", "token", "load", "loss", "counts"];

/** Names that are another panel's second word. */
const SECOND_WORDS = ["matrix", "gate", "equation"];

for (const width of [1440, 390]) {
  test(`at ${width} pixels the SVG of a panel has every text of it, as text`, async (t) => {
    const { page, figure, problems } = await openRecorded(t, { viewport: { width, height: 900 } });
    let checked = 0;
    for (const panel of PANELS) {
      if (!(await figure.panel(panel).isVisible())) continue;
      checked += 1;
      const svg = await fileOf(page, "image/svg+xml", { panel, caption: false });
      const [topic, finding] = await figure
        .panel(panel)
        .evaluate((it) => [it.querySelector(".topic > span").textContent, it.querySelector(".finding").textContent]);
      const marks = panel === "lanes" ? await figure.panel(panel).locator(".slot.dropped").count() : 0;
      const expected = [topic, finding, ...(await seenTexts(page, panel)), ...Array(marks).fill("×")];
      assert.deepEqual(words(await svgTexts(page, svg)), words(expected), panel);
    }
    assert.ok(checked >= 2);
    assert.deepEqual(problems, []);
  });
}

/** All panels by their names, as the element says them where a name is none of them. */
async function allPanels({ page, figure }) {
  await page.evaluate(() => document.querySelector("moe-playground").setAttribute("view", "none-of-them"));
  const { why } = await figure.error("The attribute view=");
  return why.match(/one or more of ([a-z, ]+)\./)[1].split(", ");
}

test("the SVG of every panel of the page has every text of it", async (t) => {
  const opened = await openRecorded(t, { attributes: { ...RECORDED, view: "strip" } });
  const { page, figure } = opened;
  const others = (await allPanels(opened)).filter((name) => ![...PANELS, ...SECOND_WORDS].includes(name));
  assert.ok(others.length >= 14, `${others}`);
  for (const panel of others) {
    await page.evaluate((panel) => document.querySelector("moe-playground").setAttribute("view", panel), panel);
    await figure.panel(panel).locator(".panel-body > *").first().waitFor();
    const svg = await fileOf(page, "image/svg+xml", { panel, caption: false });
    const [topic, finding] = await figure
      .panel(panel)
      .evaluate((it) => [it.querySelector(".topic > span").textContent, it.querySelector(".finding").textContent]);
    const expected = [topic, finding, ...(await seenTexts(page, panel))];
    assert.ok(letters(expected).length > 50, panel);
    assert.equal(letters(await svgTexts(page, svg)), letters(expected), panel);
  }
});

/** How light a colour is to an eye, from 0 to 1 (WCAG's relative luminance), and how two of them stand out. */
const luminance = (colour) => {
  const parts = colour.match(/[0-9a-f]{2}/g).map((part) => Number.parseInt(part, 16) / 255);
  const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one, other) => {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
};

/** The values of an attribute in an SVG, in its order; with the dashes of those that have some. */
const values = (page, svg, name) =>
  page.evaluate(
    ([svg, name]) =>
      [...new DOMParser().parseFromString(svg, "image/svg+xml").querySelectorAll(`[${name}^="#"]`)].map((it) => ({
        colour: it.getAttribute(name),
        isDashed: it.hasAttribute("stroke-dasharray"),
      })),
    [svg.toString(), name],
  );

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`in greys the ${colorScheme} picture says the same: ten steps of probability, and what became of a request`, async (t) => {
    const { page, figure } = await openRecorded(t, {
      colorScheme,
      attributes: { ...RECORDED, view: "layers lanes" },
    });
    const [paper, ...ramp] = await figure.host.evaluate(({ shadowRoot }) => {
      const probe = shadowRoot.querySelector(".moe-container .moe").appendChild(document.createElement("i"));
      const colours = ["--paper", ...Array.from({ length: 10 }, (_, step) => `--c${step}`)].map((name) => {
        probe.style.color = `var(${name})`;
        const parts = getComputedStyle(probe).color.match(/\d+/g).slice(0, 3);
        return `#${parts.map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
      });
      probe.remove();
      return colours;
    });
    const options = { colours: "screen", caption: false };
    const fills = await values(page, await fileOf(page, "image/svg+xml", { ...options, panel: "layers" }), "fill");
    const used = ramp.filter((step) => fills.some(({ colour }) => colour === step));
    assert.ok(used.length >= 8, `${used} of ${ramp}`);
    for (const [at, step] of ramp.slice(1).entries()) {
      const isAway = (colour) => contrast(colour, paper);
      assert.ok(isAway(step) > isAway(ramp[at]), `step ${at + 1}: ${ramp[at]}, ${step}`);
      assert.ok(contrast(step, ramp[at]) >= 1.12, `step ${at + 1} is hardly told from the one before`);
    }

    const lanes = await fileOf(page, "image/svg+xml", { ...options, panel: "lanes" });
    const slots = (kind) => figure.panel("lanes").locator(`.slot${kind}`).count();
    const [second, lost, free] = [await slots(".second"), await slots(".lost"), await slots(".is-free")];
    assert.ok(second > 0 && lost > 0 && free > 0);
    const strokes = await values(page, lanes, "stroke");
    const faint = strokes.filter(({ colour }) => contrast(colour, paper) < 2);
    const strong = strokes.filter(({ colour }) => contrast(colour, paper) >= 4.5);
    assert.equal(faint.length + strong.length, strokes.length, "nothing lies between");
    assert.equal(faint.filter(({ isDashed }) => isDashed).length, free, "what is free is dashed");
    assert.ok(faint.length >= free + second, "a slot that is taken has a faint edge");
    assert.ok(
      strong.length >= lost && strong.every(({ isDashed }) => !isDashed),
      "a request that is lost a strong one",
    );
  });
}

test("an SVG is vectors and text, and nothing else", async (t) => {
  const { page, figure } = await openRecorded(t);
  const svg = (await fileOf(page, "image/svg+xml")).toString();
  const tags = new Set([...svg.matchAll(/<([\w:]+)/g)].map(([, tag]) => tag));
  const allowed = ["svg", "title", "desc", "metadata", "g", "path", "text", "clipPath"];
  const own = [...tags].filter((tag) => !allowed.includes(tag) && !/^(rdf|dc|moe):/.test(tag));
  assert.deepEqual(own, []);
  assert.doesNotMatch(svg, /url\((?!#clip)|href=|style=|class=|var\(|<script|on\w+=/);
  const slots = await figure.panel("lanes").locator(".slot").count();
  const lanes = (await fileOf(page, "image/svg+xml", { panel: "lanes" })).toString();
  const shapes = lanes.match(/<path/g).length;
  assert.ok(shapes >= slots, `${shapes} shapes for ${slots} slots`);
  assert.match(lanes, /stroke-dasharray/, "free slots are dashed");
});

/** Hides what pictures leave out, and waits for what moves. */
const still = (page) =>
  page.evaluate(async () => {
    const { shadowRoot } = document.querySelector("moe-playground");
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      ".transport, .as-table, .controls, .flip, select, input, details:not(.explained), .more, .overlay, .tabs { visibility: hidden !important } * { animation: none !important; transition: none !important }",
    );
    shadowRoot.adoptedStyleSheets.push(sheet);
    await document.fonts.ready;
  });

for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
  test(`PNG and SVG look like the ${colorScheme} screen`, async (t) => {
    const { page, figure } = await openRecorded(t, { colorScheme });
    await still(page);
    const options = { caption: false, colours: "screen", scale: 1 };
    const png = await fileOf(page, "image/png", options);
    const svg = await fileOf(page, "image/svg+xml", options);
    const first = await figure.panel("strip").boundingBox();
    const clip = { ...(await figure.host.locator(".page").boundingBox()), y: first.y };
    const all = await Promise.all(
      ["strip", "load", "loss", "counts"].map((panel) => figure.panel(panel).boundingBox()),
    );
    clip.height = Math.max(...all.map(({ y, height }) => y + height)) - clip.y;
    const screen = await page.screenshot({ clip, fullPage: true });
    const differences = await page.evaluate(
      async ([screen, ...files]) => {
        const MARGIN = 12;
        const pixels = async (type, data, offset) => {
          const image = new Image();
          image.src = `data:${type};base64,${data}`;
          await image.decode();
          const canvas = document.createElement("canvas");
          canvas.width = shown.width;
          canvas.height = shown.height;
          const context = canvas.getContext("2d");
          context.drawImage(image, -offset, -offset);
          return context.getImageData(0, 0, canvas.width, canvas.height).data;
        };
        const shown = new Image();
        shown.src = `data:image/png;base64,${screen}`;
        await shown.decode();
        const expected = await pixels("image/png", screen, 0);
        const told = [];
        for (const [type, data] of files) {
          const drawn = await pixels(type, data, MARGIN);
          let sum = 0;
          let far = 0;
          for (let at = 0; at < expected.length; at += 4) {
            const off = [0, 1, 2].reduce((sum, part) => sum + Math.abs(expected[at + part] - drawn[at + part]), 0) / 3;
            sum += off;
            if (off > 64) far += 1;
          }
          told.push({ mean: sum / (expected.length / 4), far: far / (expected.length / 4) });
        }
        return told;
      },
      /** @type {any} */ ([
        screen.toString("base64"),
        ["image/png", png.toString("base64")],
        ["image/svg+xml", svg.toString("base64")],
      ]),
    );
    for (const { mean, far } of differences) {
      assert.ok(
        mean < 2.5 && far < 0.02,
        `differs by ${mean.toFixed(2)} of 255, and much on ${(100 * far).toFixed(2)} %`,
      );
    }
  });
}

/** The chunks of a PNG file that are no pixels: texts by their keywords, and the density. */
function pngFacts(file) {
  const texts = {};
  let perMetre = null;
  for (let at = 8; at < file.length; at += 12 + file.readUInt32BE(at)) {
    const [type, data] = [
      file.toString("latin1", at + 4, at + 8),
      file.subarray(at + 8, at + 8 + file.readUInt32BE(at)),
    ];
    if (type === "pHYs") perMetre = data.readUInt32BE(0);
    if (type === "iTXt") texts[data.toString("utf8", 0, data.indexOf(0))] = data.toString("utf8", data.indexOf(0) + 5);
  }
  return { width: file.readUInt32BE(16), perMetre, texts };
}

test("a picture says what it is of: title, alternative, seed, hash, rule and link", async (t) => {
  const { page, figure } = await openRecorded(t);
  const { header } = await figure.trace();
  const finding = await figure.panel("lanes").locator(".finding").textContent();
  const { seed } = header.request;
  const facts = [finding, header.model.weights_sha256, `seed ${seed}`, "top_k k=2", new URL("#v=1", site.url).href];
  const svg = (await fileOf(page, "image/svg+xml", { panel: "lanes", caption: false })).toString();
  for (const fact of facts) assert.ok(svg.includes(fact.replaceAll("&", "&amp;")), fact);
  const { texts } = pngFacts(await fileOf(page, "image/png", { panel: "lanes", caption: false }));
  for (const fact of facts)
    assert.ok(
      Object.values(texts).some((text) => text.includes(fact)),
      fact,
    );
  assert.deepEqual([texts.Title, texts["moe-playground:seed"]], [finding, String(seed)]);
  assert.ok(texts.Description.includes(finding) && texts.Description.length > finding.length);
  // Below the picture only where it is wanted.
  const shown = async (caption) =>
    (await svgTexts(page, await fileOf(page, "image/svg+xml", { panel: "lanes", caption }))).join(" ");
  assert.match(await shown(true), /weights 35ed1079da0b/);
  assert.doesNotMatch(await shown(false), /weights 35ed1079da0b/);
});

test("a picture is as wide as a column, and a PNG knows it", async (t) => {
  const { page } = await openRecorded(t);
  for (const width of [84, 174]) {
    const svg = (await fileOf(page, "image/svg+xml", { panel: "lanes", width })).toString();
    assert.match(svg, new RegExp(`width="${width}mm"`));
    for (const scale of [1, 3]) {
      const facts = pngFacts(await fileOf(page, "image/png", { panel: "lanes", width, scale }));
      assert.ok(Math.abs((1000 * facts.width) / facts.perMetre - width) < 0.5, `${width} mm at ${scale}×`);
    }
  }
});

test("pictures are light for paper, whatever the screen, and the screen stays as it is", async (t) => {
  const { page, figure } = await openRecorded(t, { colorScheme: "dark" });
  const before = await figure.host
    .locator(".moe")
    .first()
    .evaluate((it) => it.outerHTML.slice(0, 200));
  const paper = (await fileOf(page, "image/svg+xml", { panel: "lanes" })).toString();
  const screen = (await fileOf(page, "image/svg+xml", { panel: "lanes", colours: "screen" })).toString();
  const background = (svg) => /<path d="M0 0H[\d.]+V[\d.]+H0Z" fill="(#\w+)"/.exec(svg)[1];
  assert.deepEqual([background(paper), background(screen)], ["#ffffff", "#121417"]);
  const after = await figure.host
    .locator(".moe")
    .first()
    .evaluate((it) => it.outerHTML.slice(0, 200));
  assert.equal(after, before);
});

test("the JSON lines of a run are opened again, number for number", async (t) => {
  const { page, figure } = await openRecorded(t);
  const before = await figure.trace();
  const lines = (await fileOf(page, "application/x-ndjson")).toString();
  const again = await openFigure(site, t, {
    attributes: RECORDED,
    newTokens: null,
    prepare: (page) => recordedRun(page, fromJsonLines(lines)),
  });
  await again.figure.recorded();
  assert.deepEqual(await again.figure.trace(), before);
});

test("where there is nothing to save, or no such type or panel, three sentences say so", async (t) => {
  const { page } = await openRecorded(t);
  const why = (type, options) =>
    page.evaluate(
      ([type, options]) =>
        document
          .querySelector("moe-playground")
          .toBlob(type, options)
          .then(
            () => null,
            ({ what, why, try_this }) => Boolean(what && why && try_this) && what,
          ),
      [type, options],
    );
  assert.equal(await why("text/html"), "There is no file of the type text/html.");
  assert.equal(await why("image/svg+xml", { panel: "volume" }), 'There is no panel "volume" to draw.');
  assert.equal(await why("image/svg+xml", { panel: "matrix" }), null);
  for (const options of [{ width: -5 }, { width: "abc" }, { scale: 99 }, { scale: Number.NaN }, { colours: "pink" }]) {
    const [[name, value]] = Object.entries(options);
    assert.equal(await why("image/png", options), `No picture can be made with the ${name} ${value}.`);
  }
  const nothing = await page.evaluate(() =>
    /** @type {any} */ (document.createElement("moe-playground")).toBlob("text/csv").catch(({ what }) => what),
  );
  assert.equal(nothing, "There is nothing to save yet.");
});

test("the dialog saves pictures and data, and the page keeps out of it", async (t) => {
  const { page, figure, problems } = await openRecorded(t);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await figure.button("Save").click();
  const dialog = figure.host.getByRole("dialog", { name: "Save" });
  await dialog.getByRole("img", { name: "Preview" }).locator("svg").waitFor();
  const saved = async (name, press) => {
    const [download] = await Promise.all([page.waitForEvent("download"), press()]);
    assert.equal(download.suggestedFilename(), name);
    return readFile(await download.path());
  };
  const press = (name) => () => dialog.getByRole("button", { name, exact: true }).click();
  await dialog.getByLabel("Picture").selectOption("lanes");
  assert.match((await saved("moe-lanes.svg", press("Save picture"))).toString(), /^<\?xml/);
  await dialog.getByLabel("Format").selectOption("3");
  assert.equal((await saved("moe-lanes.png", press("Save picture"))).toString("latin1", 1, 4), "PNG");
  assert.match((await saved("moe-run.csv", press("CSV"))).toString(), /^step,layer,/);
  assert.equal((await saved("moe-run.npz", press("NumPy"))).toString("latin1", 0, 2), "PK");
  assert.equal((await saved("moe-run.jsonl", press("JSON lines"))).toString().split("\n").length, 15);
  await press("Copy as pandas")();
  await dialog.getByText("Copied.").waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^import pandas as pd/);
  await press("Copy")();
  await page.waitForFunction(async () => (await navigator.clipboard.read())[0].types.includes("image/png"));
  // Keys are the dialog's.
  const token = (await figure.selection()).token;
  await page.keyboard.press("d");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  assert.equal((await figure.selection()).token, token);
  assert.ok(await figure.button("Save").evaluate((it) => it.matches(":focus")));
  assert.deepEqual(problems, []);
});

test("the link is copied by a key, and stands in a dialog with its code", async (t) => {
  const { page, figure, problems } = await openRecorded(t);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(() => document.querySelector("moe-playground").seek({ token: 3, layer: 1 }));
  await figure.selected({ token: 3, layer: 1 });
  await page.keyboard.press("l");
  await figure.host.getByText("Link copied.").waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  await page.waitForFunction((link) => location.href === link, link);

  await figure.button("Share").click();
  const dialog = figure.host.getByRole("dialog", { name: "Share" });
  assert.equal(await dialog.getByRole("textbox", { name: "Link" }).inputValue(), link);
  const code = dialog.getByRole("img", { name: "QR code of the link" });
  const size = await code.evaluate((it) => Number(it.getAttribute("viewBox").split(" ")[2]));
  assert.ok((size - 8 - 17) % 4 === 0, "a version of the standard, and four modules around it");
  assert.deepEqual(problems, []);
});

test("printing gives a report of two pages, which says what it is of", async (t) => {
  const { page, figure } = await openRecorded(t, {
    prepare: (page) => page.addInitScript(() => (window.print = () => {})),
  });
  await figure.button("Save").click();
  await figure.host.getByRole("button", { name: "Print a report" }).click();
  const head = figure.host.locator(".moe-report");
  await head.waitFor({ state: "attached" });
  assert.equal(await head.isVisible(), false, "it is for paper");
  await page.emulateMedia({ media: "print" });
  assert.match(await head.textContent(), /weights 35ed1079da0b.*seed 7.*#v=1/);
  assert.ok(await head.getByRole("img", { name: "QR code of the link" }).isVisible());
  for (const format of ["A4", "Letter"]) {
    const file = (await page.pdf({ format, printBackground: true })).toString("latin1");
    assert.equal(file.match(/\/Type\s*\/Page\b(?!s)/g).length, 2, format);
  }
});

test("a figure has the dialog where its author offers it", async (t) => {
  const { page, figure } = await openRecorded(t, { attributes: { ...RECORDED, view: "lanes", controls: "save" } });
  await figure.button("Save").click();
  const dialog = figure.host.getByRole("dialog", { name: "Save" });
  await dialog.waitFor();
  assert.deepEqual(await dialog.getByLabel("Picture").locator("option").allTextContents(), ["Capacity lanes"]);
  await page.keyboard.press("Escape");
  const without = await openRecorded(t, { attributes: { ...RECORDED, view: "lanes", controls: "capacity" } });
  assert.equal(await without.figure.button("Save").count(), 0);
});
