// How a figure looks in somebody's page: the page's colours, fonts, corners and size of text come inside, and what is
// written can be read whatever it asks for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Figure, openFigure } from "../lib/figure.mjs";
import { pageServer } from "../lib/page_server.mjs";
import { suite } from "../lib/suite.mjs";

const site = suite();

/** The style that docs/EMBEDDING.md has for an example, with every other property beside it. */
const OWN = `
  moe-playground {
    --moe-paper: light-dark(#ffffff, #0b1020);
    --moe-ink: light-dark(#14213d, #e8ecf6);
    --moe-quiet-ink: light-dark(#44506b, #a9b4cf);
    --moe-line: light-dark(#c4cbdb, #39435c);
    --moe-accent: light-dark(#a3195b, #ff7ab8);
    --moe-chart: seagreen;
    --moe-font: "Own Sans", sans-serif;
    --moe-font-text: "Own Serif", serif;
    --moe-mono: "Own Mono", monospace;
    --moe-font-size: 17px;
    --moe-radius: 9px;
  }
  moe-playground::part(title) { font-style: italic; }
  moe-playground::part(foot) { letter-spacing: 3px; }
  moe-playground::part(controls) { opacity: 0.9; }
  moe-playground::part(picture) { padding: 7px; }
  moe-playground::part(panel) { border-top-width: 5px; }`;

/**
 * Opens a host page with these figures and this style, and waits until all are drawn.
 *
 * @param {import("node:test").TestContext} t
 * @param {string} figures
 * @param {{ css?: string, [option: string]: unknown }} options
 */
async function openHost(t, figures, { css = "", ...options } = {}) {
  const host = await pageServer(
    `<!doctype html><title>A host</title><link rel="icon" href="data:,"><style>${css}</style>
    <script type="module" src="${site.url}assets/element.js"></script><body>${figures}`,
  );
  t.after(host.close);
  const opened = await openFigure(site, t, { path: host.url, ...options });
  await opened.page.waitForFunction(() =>
    [...document.querySelectorAll("moe-playground")].every(({ shadowRoot }) =>
      shadowRoot?.querySelector(".moe-container:not(.is-waiting) .panel-body > *"),
    ),
  );
  return opened;
}

const LANES = `<moe-playground backend="recorded" loading="eager" view="lanes load" controls="run capacity policy"></moe-playground>`;

/** Computed styles inside the shadow tree: of each selector these properties. Colours as `#rrggbb`, as they are painted. */
function inside(page, wanted) {
  return page.evaluate((wanted) => {
    const root = document.querySelector("moe-playground").shadowRoot.querySelector(".moe-container");
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const painted = (colour) => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const bytes = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
      return `#${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
    };
    return wanted.map(([selector, ...names]) => {
      const style = getComputedStyle(root.querySelector(selector));
      return names.map((name) => (/color/i.test(name) ? painted(style[name]) : style[name]));
    });
  }, wanted);
}

/** The contrast of two colours, as WCAG 2 has it. */
function contrast(one, other) {
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/[\da-f]{2}/g).map((digits) => {
      const share = Number.parseInt(digits, 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [lower, higher] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (higher + 0.05) / (lower + 0.05);
}

/** What is written in which colour, on what. */
const COLOURS = [
  [".moe", "backgroundColor", "color"],
  [".topic", "color"],
  ["select", "borderTopColor"],
  [".lane.is-selected .lane-name", "color"],
];

test("colours, fonts, corners and parts of a page come inside a figure, in both themes", async (t) => {
  const { page, problems } = await openHost(t, LANES, { css: OWN });
  const check = async (theme, [paper, ink, quiet, line, accent]) => {
    await page.evaluate((theme) => document.querySelector("moe-playground").setAttribute("theme", theme), theme);
    await page.locator(`moe-playground .moe[data-theme=${theme}]`).waitFor();
    assert.deepEqual(await inside(page, COLOURS), [[paper, ink], [quiet], [line], [accent]], theme);
  };
  await page.locator("moe-playground .lane .lane-name").first().click();
  await check("light", ["#ffffff", "#14213d", "#44506b", "#c4cbdb", "#a3195b"]);
  await check("dark", ["#0b1020", "#e8ecf6", "#a9b4cf", "#39435c", "#ff7ab8"]);
  const [moe, finding, slot, select] = await inside(page, [
    [".moe", "fontFamily", "fontSize"],
    [".finding", "fontFamily", "fontStyle"],
    [".slot", "borderRadius"],
    ["select", "borderRadius"],
  ]);
  assert.deepEqual(moe, ['"Own Sans", sans-serif', "17px"]);
  assert.deepEqual(finding, ['"Own Serif", serif', "italic"]);
  assert.deepEqual([slot, select], [["9px"], ["9px"]]);
  assert.deepEqual(
    await inside(page, [
      [".figure-foot", "letterSpacing"],
      [".figure-run", "opacity"],
      [".panel-body", "paddingLeft"],
      [".panel", "borderTopWidth"],
    ]),
    [["3px"], ["0.9"], ["7px"], ["5px"]],
  );
  // Bars have the page's hue: green is more than red and blue.
  const [[bar]] = await inside(page, [[".served", "backgroundColor"]]);
  const [red, green, blue] = bar.match(/[\da-f]{2}/g).map((digits) => Number.parseInt(digits, 16));
  assert.ok(green > red + 30 && green > blue + 30, bar);
  assert.deepEqual(problems, []);
});

test("without a word of the page a figure has the colours it always had", async (t) => {
  const { page } = await openHost(t, LANES);
  await page.locator("moe-playground .lane .lane-name").first().click();
  for (const [colorScheme, [paper, ink, quiet, line, accent]] of /** @type {const} */ ([
    ["light", ["#faf8f3", "#1b1a17", "#5c594f", "#d9d4c7", "#b83210"]],
    ["dark", ["#121417", "#eceae4", "#a5a298", "#34383f", "#ff9466"]],
  ])) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await inside(page, COLOURS), [[paper, ink], [quiet], [line], [accent]]);
    for (const written of [ink, quiet, accent]) assert.ok(contrast(paper, written) >= 4.5, `${written} on ${paper}`);
  }
  assert.deepEqual(await inside(page, [[".served", "backgroundColor"]]), [["#8b9fb9"]]);
});

test("what is written on the ramp can be read in any hue", async (t) => {
  const { page } = await openHost(t, LANES);
  const lowest = await page.evaluate(() => {
    const root = document.querySelector("moe-playground").shadowRoot.querySelector(".moe-container .page");
    const steps = Array.from({ length: 10 }, (_, step) => {
      const cell = Object.assign(document.createElement("div"), { className: `r${step}` });
      cell.style.cssText = "background: var(--fill); color: var(--on)";
      root.append(cell);
      return cell;
    });
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const bytes = (colour) => {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((byte) => byte.toString(16).padStart(2, "0"));
    };
    const found = [];
    const host = /** @type {HTMLElement} */ (document.querySelector("moe-playground"));
    for (const theme of ["light", "dark"]) {
      root.parentElement.dataset.theme = theme;
      for (const chart of ["", "red", "yellow", "lime", "cyan", "blue", "magenta", "white", "black"]) {
        host.style.setProperty("--moe-chart", chart);
        for (const [step, cell] of steps.entries()) {
          const { backgroundColor, color } = getComputedStyle(cell);
          found.push({
            what: `step ${step} of ${chart || "ours"}, ${theme}`,
            on: bytes(backgroundColor),
            of: bytes(color),
          });
        }
      }
    }
    return found;
  });
  const ratios = lowest.map(({ what, on, of }) => ({ what, ratio: contrast(on.join(""), of.join("")) }));
  assert.equal(ratios.length, 180);
  assert.deepEqual(
    ratios.filter(({ ratio }) => ratio < 4.5),
    [],
  );
});

test("a figure is as large as the text around it, within limits, and the whole page as it always was", async (t) => {
  const at = (size, view, extra = "") =>
    `<div style="font-size: ${size}"><moe-playground backend="recorded" loading="eager" view="${view}" ${extra}></moe-playground></div>`;
  const figures = [
    at("10px", "lanes"),
    at("16px", "lanes"),
    at("20px", "lanes"),
    at("60px", "lanes"),
    at("60px", "full"),
    at("20px", "lanes", `style="--moe-font-size: 0.75em"`),
    `<div style="width: 360px">${at("60px", "lanes")}</div>`,
  ];
  const { page } = await openHost(t, figures.join(""), { viewport: { width: 1000, height: 900 } });
  const sizes = await page.evaluate(() =>
    [...document.querySelectorAll("moe-playground")].map(({ shadowRoot }) =>
      [".page", ".panel-lanes .finding", ".panel-lanes .topic > span", ".panel-lanes .control-name", ".lane-count"].map(
        (selector) =>
          Number.parseFloat(getComputedStyle(shadowRoot.querySelector(`.moe-container ${selector}`)).fontSize),
      ),
    ),
  );
  const scaled = (size) => [13, 17, 11, 11, 12].map((usual) => (usual * size) / 13);
  for (const [at, size] of [13, 13, 16.25, 18, 13, 15, 15].entries()) {
    const off = scaled(size).map((expected, of) => Math.abs(expected - sizes[at][of]));
    assert.ok(Math.max(...off) < 0.01, `figure ${at}: ${sizes[at]}, not ${scaled(size)}`);
  }
  await new Figure(page, "[view=full]").tokens.first().waitFor();
});

test("in forced colours, on paper and in pictures for paper the page's colours do not count", async (t) => {
  const css = "moe-playground { --moe-paper: #102030; --moe-ink: #ffeedd; --moe-accent: #ffff00; --moe-chart: red }";
  const { page, figure } = await openHost(t, LANES, { css });
  const written = async () => (await inside(page, [[".moe", "backgroundColor", "color"]]))[0];
  assert.deepEqual(await written(), ["#102030", "#ffeedd"]);
  const picture = (colours) =>
    page.evaluate(async (colours) => {
      const figure = /** @type {any} */ (document.querySelector("moe-playground"));
      return (await figure.toBlob("image/svg+xml", { colours })).text();
    }, colours);
  const [onPaper, onScreen] = [await picture("paper"), await picture("screen")];
  assert.match(onScreen, /#102030/);
  assert.match(onScreen, /#ffeedd/);
  assert.doesNotMatch(onPaper, /#102030|#ffeedd|#ffff00/);
  assert.match(onPaper, /#5f728d/, "bars have the ramp's own colour");
  assert.doesNotMatch(onScreen, /#5f728d/);
  assert.equal(await figure.host.locator(".moe-container > .moe").getAttribute("style"), null);
  await page.emulateMedia({ media: "print" });
  assert.deepEqual(await written(), ["#ffffff", "#1b1a17"]);
  await page.emulateMedia({ media: "screen", forcedColors: "active" });
  const [paper, ink] = await written();
  assert.ok(paper !== "#102030" && ink !== "#ffeedd" && contrast(paper, ink) >= 7, `${ink} on ${paper}`);
});
