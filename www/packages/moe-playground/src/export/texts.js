// Lines of text where the browser has put them: from the first letter, on the baseline, in the font that is drawn.

import { colour } from "../export/colour.js";
import { short } from "../export/boxes.js";

/** @import { Font, Shape, TextShape } from "../export/drawing.d.ts" */

const px = (value) => Number.parseFloat(value) || 0;

/** @type {CanvasRenderingContext2D | null | undefined} */
let canvas;
/** @type {Map<string, { up: number, down: number }>} */
const known = new Map();

/** @param {Font} font */
export const fontText = ({ style, weight, size, family }) => `${style} ${weight} ${size}px ${family}`;

function measuring(font) {
  canvas ??= document.createElement("canvas").getContext("2d");
  if (canvas) {
    canvas.font = fontText(font);
    canvas.letterSpacing = `${font.spacing}px`;
  }
  return canvas;
}

/** How far a font reaches above and below the baseline. */
function reach(font) {
  const key = fontText(font);
  let found = known.get(key);
  if (!found) {
    const measure = measuring(font)?.measureText("x");
    found = { up: measure?.fontBoundingBoxAscent ?? font.size, down: measure?.fontBoundingBoxDescent ?? 0 };
    known.set(key, found);
  }
  return found;
}

export const widthOf = (text, font) => measuring(font)?.measureText(text).width ?? 0;

/** @returns {Font} */
export function fontOf(style) {
  const spacing = style.letterSpacing === "normal" ? 0 : px(style.letterSpacing);
  return {
    family: style.fontFamily,
    size: px(style.fontSize),
    weight: style.fontWeight,
    style: style.fontStyle,
    spacing,
  };
}

/**
 * A text node, a shape for each line. Blanks that are not drawn have no width, and are left out.
 *
 * @param {Text} node
 * @returns {Shape[]}
 */
export function textLines(node, style, origin) {
  const fill = colour(style.color);
  const font = fontOf(style);
  if (!fill || font.size === 0 || !node.data.trim()) return [];
  const range = document.createRange();
  const isVertical = style.writingMode.startsWith("vertical");
  /** @type {{ text: string, left: number, right: number, top: number, bottom: number }[]} */
  const lines = [];
  let at = 0;
  for (const char of node.data) {
    range.setStart(node, at);
    at += char.length;
    range.setEnd(node, at);
    const rects = range.getClientRects();
    const rect = rects[rects.length - 1];
    const isBlank = /\s/.test(char);
    if (!rect || (isBlank && rect.width * rect.height === 0)) continue;
    const line = lines[lines.length - 1];
    const { left, right, top, bottom } = rect;
    const goesOn = line && (isVertical ? Math.abs(line.left - left) < 2 : Math.abs(line.top - top) < 2);
    if (!goesOn) lines.push({ text: char, left, right, top, bottom });
    else {
      line.text += char;
      Object.assign(line, {
        left: Math.min(line.left, left),
        right: Math.max(line.right, right),
        top: Math.min(line.top, top),
        bottom: Math.max(line.bottom, bottom),
      });
    }
  }
  const isUpper = style.textTransform === "uppercase";
  return lines.flatMap(({ text, left, right, top, bottom }) => {
    const told = isUpper ? text.toUpperCase() : text;
    const box = {
      left: left - origin.left,
      right: right - origin.left,
      top: top - origin.top,
      bottom: bottom - origin.top,
    };
    if (isVertical) return [vertical(told, box, font, fill, isTurned(node.parentElement))];
    return horizontal(told, box, font, fill, style);
  });
}

/** @returns {Shape[]} */
function horizontal(text, { left, right, top, bottom }, font, fill, style) {
  const { up, down } = reach(font);
  const y = top + (bottom - top - up - down) / 2 + up;
  const isRightToLeft = style.direction === "rtl";
  /** @type {Shape[]} */
  const shapes = [
    { kind: "text", text, x: isRightToLeft ? right : left, y, length: right - left, font, fill, isRightToLeft },
  ];
  if (style.textDecorationLine.includes("underline")) {
    const offset = style.textUnderlineOffset === "auto" ? 1.5 : px(style.textUnderlineOffset);
    const below = short(y + offset + 0.5);
    const isDotted = style.textDecorationStyle === "dotted";
    const stroke = colour(style.textDecorationColor);
    shapes.push({
      kind: "path",
      d: `M${short(left)} ${below}H${short(right)}`,
      stroke,
      width: 1,
      dash: isDotted ? [1.5, 1.5] : undefined,
    });
  }
  return shapes;
}

/** Letters that lie on their side: read downwards or, where the box is turned round, upwards. */
function vertical(text, { left, right, top, bottom }, font, fill, isUpward) {
  const { up, down } = reach(font);
  const middle = (left + right) / 2;
  const aside = (up - down) / 2;
  /** @type {TextShape} */
  const shape = { kind: "text", text, x: middle - aside, y: top, length: bottom - top, font, fill, turn: 90 };
  return isUpward ? { ...shape, x: middle + aside, y: bottom, turn: -90 } : shape;
}

const isTurned = (element) => element !== null && /^matrix\(-1,/.test(getComputedStyle(element).transform);

/**
 * A text that a style sheet puts before the text of an element, or into its middle where it has none.
 *
 * @returns {Shape[]}
 */
export function textOfPseudo(element, text, style, around, origin) {
  const [font, fill] = [fontOf(style), colour(style.color)];
  if (!fill) return [];
  const length = widthOf(text, font);
  const { up, down } = reach(font);
  const range = document.createRange();
  range.selectNodeContents(element);
  const first = [...range.getClientRects()].find((rect) => rect.width > 0);
  const x = first ? first.left - origin.left - px(style.marginRight) - length : around.x + (around.width - length) / 2;
  const [top, height] = first ? [first.top - origin.top, first.height] : [around.y, around.height];
  return [{ kind: "text", text, x, y: top + (height - up - down) / 2 + up, length, font, fill }];
}
