// A picture to keep: a panel or all of them as on the screen, with title, margin and all that identifies it.

import { colour } from "../export/colour.js";
import { factsOf, sentences } from "../export/facts.js";
import { linkOf } from "../export/link.js";
import { MoePlaygroundError } from "../export/problem.js";
import { drawnHeight, shapesOf } from "../export/shapes.js";
import { fontOf, widthOf } from "../export/texts.js";
import { say } from "../export/words.js";

/**
 * @import { MoePlayground, MoePlaygroundPictureOptions } from "../../index.d.ts"
 * @import { TraceFile } from "../../types.d.ts"
 * @import { Font, Paint, Shape } from "../export/drawing.d.ts"
 * @typedef {{
 *   width: number, height: number, millimetres?: number, shapes: Shape[], title: string, alt: string, caption: string,
 *   facts: ReturnType<typeof factsOf>
 * }} Picture - sizes in CSS pixels; `millimetres`: how wide it is to be on paper
 */

const MARGIN = 12;

/** Room below the title, and above the caption. */
const GAP = 10;

/**
 * The panels on the screen, by their names.
 *
 * @param {MoePlayground} figure
 */
export function panelsOf(figure) {
  const all = /** @type {Iterable<HTMLElement>} */ (figure.shadowRoot?.querySelectorAll(".moe-container .panel") ?? []);
  const seen = [...all].filter((panel) => panel.offsetParent !== null && panel.querySelector(".panel-body > *"));
  const nameOf = (panel) => /(?:^| )panel-([a-z]+)/.exec(panel.className)?.[1] ?? "";
  return new Map(seen.map((panel) => [nameOf(panel), panel]));
}

/** Panels that `view` knows by the word for what they draw, too. */
const OTHER_NAMES = { matrix: "layers", gate: "token", equation: "microscope" };

/** What a panel is called. */
export const kindOf = (panel) => panel.getAttribute("aria-label") ?? "";

/**
 * @param {MoePlayground} figure
 * @param {TraceFile} trace
 * @param {MoePlaygroundPictureOptions} options
 * @returns {Picture}
 */
export function pictureOf(figure, trace, { panel = "page", width, caption = true, colours = "paper" } = {}) {
  const panels = panelsOf(figure);
  const named = panels.get(/** @type {Record<string, string>} */ (OTHER_NAMES)[panel] ?? panel);
  const chosen = panels.size === 1 && panel === "page" ? [...panels.values()][0] : named;
  if (panels.size === 0 || (!chosen && panel !== "page")) {
    throw new MoePlaygroundError({
      what: `There is no panel "${panel}" to draw.`,
      why: `The figure shows ${[...panels.keys()].join(", ") || "none"}.`,
      try_this: "Name one of these, or leave the panel out for all of them.",
    });
  }
  const facts = factsOf(trace.header, linkOf(figure.getState()));
  const moe = /** @type {HTMLElement} */ (figure.shadowRoot?.querySelector(".moe-container .moe"));
  const drawn = onPaper(moe, colours === "paper", () => (chosen ? ofPanel(chosen) : ofAll([...panels.values()])));
  const { page, soft } = onPaper(moe, colours === "paper", () => coloursOf(moe));
  const words = sentences(facts);
  const below = caption ? paragraph(words, SMALL, soft, drawn.width, drawn.height + GAP) : { shapes: [], height: 0 };
  const [wide, high] = [drawn.width + 2 * MARGIN, drawn.height + (caption ? GAP + below.height : 0) + 2 * MARGIN];
  const paper = { kind: /** @type {const} */ ("path"), d: `M0 0H${wide}V${high}H0Z`, fill: page };
  const inside = {
    kind: /** @type {const} */ ("group"),
    matrix: [1, 0, 0, 1, MARGIN, MARGIN],
    shapes: [...drawn.shapes, ...below.shapes],
  };
  const title = chosen ? drawn.title : `MoE Playground: “${facts.prompt}”`;
  return {
    width: wide,
    height: high,
    millimetres: width,
    shapes: [paper, inside],
    title,
    alt: drawn.alt,
    caption: words,
    facts,
  };
}

/** @type {Font} */
const SMALL = {
  family: "system-ui, Liberation Sans, Arial, sans-serif",
  size: 10.5,
  weight: "400",
  style: "normal",
  spacing: 0,
};

/** Those that a page around a figure may set, which are for the screen. */
const OWN_COLOURS = ["paper", "ink", "quiet-ink", "line", "accent", "chart"].map((name) => `--moe-${name}`);

/** With the colours for paper, light on white, while something is read off; nobody sees it in between. */
function onPaper(moe, isPaper, read) {
  if (!isPaper) return read();
  const theme = moe.dataset.theme;
  moe.dataset.theme = "light";
  moe.style.setProperty("--paper", "#fff");
  for (const name of OWN_COLOURS) moe.style.setProperty(name, "initial");
  try {
    return read();
  } finally {
    moe.dataset.theme = theme;
    for (const name of ["--paper", ...OWN_COLOURS]) moe.style.removeProperty(name);
    if (moe.getAttribute("style") === "") moe.removeAttribute("style");
  }
}

function coloursOf(moe) {
  const style = getComputedStyle(moe);
  const black = { colour: "#000000", alpha: 1 };
  const soft = colour(getComputedStyle(moe.querySelector(".topic") ?? moe).color) ?? black;
  return { page: colour(style.backgroundColor) ?? { colour: "#ffffff", alpha: 1 }, soft };
}

/** A panel's finding over its picture. */
function ofPanel(panel) {
  const body = panel.querySelector(".panel-body");
  const [topic, finding] = [panel.querySelector(".topic > span:first-child"), panel.querySelector(".finding")];
  const { width, shapes } = shapesOf(body);
  const height = drawnHeight(body);
  const style = (element) => getComputedStyle(element);
  const paint = (element) => colour(style(element).color);
  const above = paragraph(topic.textContent, fontOf(style(topic)), paint(topic), width, 0);
  const title = paragraph(finding.textContent, fontOf(style(finding)), paint(finding), width, above.height + 4);
  // A legend may stand over the picture, in the panel's head.
  const legend = body.querySelector(".legend")?.getBoundingClientRect();
  const over = legend?.height ? Math.max(0, body.getBoundingClientRect().top - legend.top) : 0;
  const down = above.height + 4 + title.height + GAP + over;
  /** @type {Shape} */
  const picture = { kind: "group", matrix: [1, 0, 0, 1, 0, down], shapes };
  return {
    width,
    height: down + height,
    shapes: [...above.shapes, ...title.shapes, picture],
    title: finding.textContent,
    alt: say("{panel}: {finding}.", { panel: topic.textContent, finding: finding.textContent }),
  };
}

/** All panels as they lie. */
function ofAll(panels) {
  const page = panels[0].closest(".page");
  const { width, shapes } = shapesOf(page);
  const top = page.getBoundingClientRect().top;
  const boxes = panels.map((panel) => panel.getBoundingClientRect());
  const from = Math.min(...boxes.map((box) => box.top)) - top;
  const to = Math.max(...boxes.map((box) => box.bottom)) - top;
  const told = panels.map((panel) => {
    return say("{panel}: {finding}.", { panel: kindOf(panel), finding: panel.querySelector(".finding")?.textContent });
  });
  /** @type {Shape} */
  const moved = { kind: "group", matrix: [1, 0, 0, 1, 0, -from], shapes };
  return { width, height: to - from, shapes: [moved], title: "", alt: told.join(" ") };
}

/**
 * Lines of text from the left, as wide as there is room; a word that is longer is broken.
 *
 * @param {Font} font @param {Paint | undefined} fill
 */
function paragraph(text, font, fill, room, top) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.length - 1;
    const longer = lines[last] ? `${lines[last]} ${word}` : word;
    if (widthOf(longer, font) <= room) lines[last] = longer;
    else {
      if (lines[last]) lines.push("");
      for (const char of word) {
        const at = lines.length - 1;
        if (widthOf(lines[at] + char, font) <= room || !lines[at]) lines[at] += char;
        else lines.push(char);
      }
    }
  }
  const height = Math.ceil(font.size * 1.3);
  /** @type {Shape[]} */
  const shapes = lines.map((line, at) => ({
    kind: "text",
    text: line,
    x: 0,
    y: top + at * height + font.size,
    length: widthOf(line, font),
    font,
    fill: fill ?? { colour: "#000000", alpha: 1 },
  }));
  return { shapes, height: lines.length * height };
}
