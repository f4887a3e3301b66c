// What is drawn on the screen, as shapes: paths, texts and groups, in CSS pixels from the corner of what was asked for.
// Two writers make files of them (svg.js, canvas.js). Nothing is drawn anew: boxes, lines of text and vectors are read
// where the browser has put them, so that a picture shows what the screen shows.

import { backgrounds, borders, clipOf, outline } from "../export/boxes.js";
import { colour } from "../export/colour.js";
import { textLines, textOfPseudo } from "../export/texts.js";
import { vectors } from "../export/vectors.js";

/** @import { Shape } from "../export/drawing.d.ts" */

/** What only a screen can use: controls, and what is there for ears. */
const LEFT_OUT = [
  ".top, .prompt-bar, .figure-bar, .figure-foot, .tabs, .overlay, .hidden, .transport, .as-table, .controls, .flip",
  ".surgery, .mute",
  "select, input, textarea, details:not(.explained), .more, [role=status]",
].join(", ");

/**
 * The shapes of an element, and its size.
 *
 * @param {Element} root
 * @returns {{ width: number, height: number, shapes: Shape[] }}
 */
export function shapesOf(root) {
  const { left, top, width, height } = root.getBoundingClientRect();
  return { width, height, shapes: walk(root, { left, top }) };
}

/** How much of an element's height is drawn: what is left out may stand last. */
export function drawnHeight(root) {
  const { top, bottom } = root.getBoundingClientRect();
  const leaves = [...root.querySelectorAll("*")].filter((it) => it.childElementCount === 0 && !it.closest(LEFT_OUT));
  const lowest = leaves.reduce((lowest, it) => Math.max(lowest, it.getBoundingClientRect().bottom), top);
  return Math.min(bottom, lowest) - top;
}

/** @returns {Shape[]} */
function walk(element, origin) {
  if (element.matches(LEFT_OUT)) return [];
  const style = getComputedStyle(element);
  const clipPath = style.clipPath;
  if (style.display === "none" || clipPath.startsWith("inset(50%")) return [];
  const box = boxOf(element, origin);
  /** @type {Shape[]} */
  const shapes = [];
  if (style.visibility === "visible" && box.width > 0 && box.height > 0) {
    shapes.push(...backgrounds(style, box), ...borders(style, box));
    if (element.localName === "mfrac") shapes.push(...fractionBar(element, style, origin));
  }
  const inside = [...pseudo(element, "::before", origin), ...children(element, style, origin)];
  inside.push(...pseudo(element, "::after", origin));
  const hides = style.overflowX !== "visible" || style.overflowY !== "visible";
  if (hides && inside.length > 0) shapes.push({ kind: "group", clip: clipOf(style, box, "padding"), shapes: inside });
  else shapes.push(...inside);
  const alpha = Number(style.opacity);
  const cut = clipPath.startsWith("polygon") ? clipOf(style, box, clipPath) : undefined;
  if (shapes.length > 0 && (alpha < 1 || cut)) return [{ kind: "group", clip: cut, alpha, shapes }];
  return shapes;
}

function boxOf(element, origin) {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: left - origin.left, y: top - origin.top, width, height };
}

/** In the order of painting: what is positioned lies over what is not, outlines over their neighbours. */
function children(element, style, origin) {
  if (element instanceof SVGSVGElement) return [...vectors(element, origin), ...labels(element, origin)];
  /** @type {{ level: number, shapes: Shape[] }[]} */
  const layers = [];
  for (const child of element.childNodes) {
    if (child instanceof Text) {
      if (style.visibility === "visible") layers.push({ level: 0, shapes: textLines(child, style, origin) });
    } else if (child instanceof Element) {
      const own = getComputedStyle(child);
      const level = own.position === "static" ? 0 : 1 + (Number(own.zIndex) || 0);
      layers.push({ level, shapes: walk(child, origin) });
      const around = child.matches(LEFT_OUT) ? [] : outline(own, boxOf(child, origin));
      if (around.length > 0) layers.push({ level: level + 1, shapes: around });
    }
  }
  return layers.sort((a, b) => a.level - b.level).flatMap(({ shapes }) => shapes);
}

/** The words in a vector drawing, as large as they are drawn. */
function labels(drawing, origin) {
  const all = /** @type {Iterable<SVGTextElement>} */ (drawing.querySelectorAll("text"));
  return [...all].flatMap((text) => {
    const style = getComputedStyle(text);
    const { fontFamily, fontWeight, fontStyle, letterSpacing, direction, writingMode, textTransform } = style;
    const fontSize = `${(text.getScreenCTM()?.a ?? 1) * Number.parseFloat(style.fontSize)}px`;
    const seen = { fontFamily, fontWeight, fontStyle, letterSpacing, direction, writingMode, textTransform, fontSize };
    const drawn = { ...seen, color: style.fill, textDecorationLine: "none" };
    return [...text.childNodes].flatMap((node) => (node instanceof Text ? textLines(node, drawn, origin) : []));
  });
}

/**
 * Between the two parts of a fraction, which is not a border of either.
 *
 * @returns {Shape[]}
 */
function fractionBar(fraction, style, origin) {
  const [above, below] = [...fraction.children].map((part) => part.getBoundingClientRect());
  const fill = colour(style.color);
  if (!above || !below || !fill) return [];
  const { x, width } = boxOf(fraction, origin);
  const y = (above.bottom + below.top) / 2 - origin.top - 0.5;
  return [{ kind: "path", d: `M${x} ${y}h${width}v1h${-width}z`, fill }];
}

/**
 * What a style sheet puts before or after the children. It has no place of its own to ask for.
 *
 * @returns {Shape[]}
 */
function pseudo(element, which, origin) {
  if (element instanceof SVGElement || element.localName === "summary") return [];
  const style = getComputedStyle(element, which);
  if (["none", "normal"].includes(style.content) || style.display === "none") return [];
  const parent = getComputedStyle(element);
  const around = boxOf(element, origin);
  const text = /^"(.*)"$/.exec(style.content)?.[1] ?? "";
  if (text) return textOfPseudo(element, text, style, around, origin);
  const px = (value) => Number.parseFloat(value) || 0;
  const [width, height] = [px(style.width), px(style.height)];
  const edges = { left: px(parent.borderLeftWidth), top: px(parent.borderTopWidth) };
  const isFree = style.position === "absolute";
  const x = around.x + edges.left + (isFree ? px(style.left) : px(parent.paddingLeft)) + px(style.marginLeft);
  const y = around.y + edges.top + (isFree ? px(style.top) : px(parent.paddingTop)) + px(style.marginTop);
  // Sizes are those of the whole box: `box-sizing` is `border-box` for all.
  const box = { x, y, width, height: Math.max(height, px(style.borderTopWidth) + px(style.borderBottomWidth)) };
  const shapes = [...backgrounds(style, box), ...borders(style, box)];
  if (style.transform === "none" || shapes.length === 0) return shapes;
  return [{ kind: "group", matrix: about(box, matrixOf(style.transform)), shapes }];
}

/** @returns {number[]} */
function matrixOf(transform) {
  return (/^matrix\((.*)\)$/.exec(transform)?.[1] ?? "1,0,0,1,0,0").split(",").map(Number);
}

/** A matrix about the middle of a box. */
function about({ x, y, width, height }, matrix) {
  const [a, b, c, d, e, f] = matrix;
  const [middleX, middleY] = [x + width / 2, y + height / 2];
  return [a, b, c, d, e + middleX - a * middleX - c * middleY, f + middleY - b * middleX - d * middleY];
}
