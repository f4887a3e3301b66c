// Boxes as paths: backgrounds with their hatching, borders, outlines, and what cuts them.

import { colour } from "../export/colour.js";

/**
 * @import { PathShape, Shape } from "../export/drawing.d.ts"
 * @typedef {{ x: number, y: number, width: number, height: number }} Box
 */

const px = (value) => Number.parseFloat(value) || 0;

/** A number as short as it can be seen. */
export const short = (value) => String(Math.round(value * 100) / 100);

const point = (x, y) => `${short(x)} ${short(y)}`;

/** A rectangle, with the radii of its corners from the upper left on. */
export function rectangle({ x, y, width, height }, radii = [0, 0, 0, 0]) {
  const [right, bottom] = [x + width, y + height];
  const most = Math.min(width, height) / 2;
  const [a, b, c, d] = radii.map((radius) => Math.max(0, Math.min(radius, most)));
  if (a + b + c + d === 0) return `M${point(x, y)}H${short(right)}V${short(bottom)}H${short(x)}Z`;
  const arc = (radius, toX, toY) => (radius > 0 ? `A${short(radius)} ${short(radius)} 0 0 1 ${point(toX, toY)}` : "");
  return [
    `M${point(x + a, y)}H${short(right - b)}${arc(b, right, y + b)}`,
    `V${short(bottom - c)}${arc(c, right - c, bottom)}`,
    `H${short(x + d)}${arc(d, x, bottom - d)}`,
    `V${short(y + a)}${arc(a, x + a, y)}Z`,
  ].join("");
}

function radiiOf(style, box) {
  return ["TopLeft", "TopRight", "BottomRight", "BottomLeft"].map((corner) => {
    const radius = style[`border${corner}Radius`].split(" ")[0];
    return radius.endsWith("%") ? (px(radius) / 100) * box.width : px(radius);
  });
}

const SIDES = ["Top", "Right", "Bottom", "Left"];

const edgesOf = (style) =>
  SIDES.map((side) => (style[`border${side}Style`] === "none" ? 0 : px(style[`border${side}Width`])));

/** @param {Box} box @param {number[]} edges - from the upper one on, clockwise */
function inset({ x, y, width, height }, edges) {
  const [top, right, bottom, left] = edges;
  return {
    x: x + left,
    y: y + top,
    width: Math.max(0, width - left - right),
    height: Math.max(0, height - top - bottom),
  };
}

/** @returns {Shape[]} */
export function backgrounds(style, box) {
  /** @type {Shape[]} */
  const shapes = [];
  const whole = rectangle(box, radiiOf(style, box));
  const fill = colour(style.backgroundColor);
  if (fill) shapes.push({ kind: "path", d: whole, fill });
  const image = /^(repeating-)?linear-gradient\((.*)\)$/.exec(style.backgroundImage);
  if (!image) return shapes;
  const stops = [...image[2].matchAll(/((?:rgba?|color|(?:ok)?(?:lab|lch))\([^)]*\))(?: ([\d.]+)px)?/g)].map(
    ([, told, at]) => ({
      paint: colour(told),
      at: Number(at),
    }),
  );
  const inside = inset(box, edgesOf(style));
  if (image[1]) shapes.push({ kind: "group", clip: whole, shapes: hatching(inside, stops) });
  else if (stops[0]?.paint) {
    // One colour from end to end: a bar at the bottom, of the size of the picture.
    const [width = "100%", height = "100%"] = style.backgroundSize.split(" ");
    const length = (told, all) => (told.endsWith("%") || told === "auto" ? ((px(told) || 100) / 100) * all : px(told));
    const size = { width: length(width, inside.width), height: length(height, inside.height) };
    const y = inside.y + inside.height - size.height;
    shapes.push({
      kind: "group",
      clip: whole,
      shapes: [{ kind: "path", d: rectangle({ x: inside.x, y, ...size }), fill: stops[0].paint }],
    });
  }
  return shapes;
}

/**
 * Stripes across the box, as a gradient at 45° repeats them: from the lower left corner on, a stripe of the first colour
 * up to its second stop, then of the other up to the last.
 *
 * @returns {PathShape[]}
 */
function hatching(box, stops) {
  const [first, firstEnd, other, last] = stops;
  const [width, period] = [firstEnd.at, last.at];
  const [right, bottom] = [box.x + box.width, box.y + box.height];
  let d = "";
  for (let at = width / 2; at * Math.SQRT2 < box.width + box.height; at += period) {
    const along = at * Math.SQRT2;
    const from = along <= box.width ? point(box.x + along, bottom) : point(right, bottom - (along - box.width));
    const to = along <= box.height ? point(box.x, bottom - along) : point(box.x + along - box.height, box.y);
    d += `M${from}L${to}`;
  }
  const stripes = { kind: /** @type {const} */ ("path"), d, stroke: first.paint, width };
  return other.paint ? [{ kind: "path", d: rectangle(box), fill: other.paint }, stripes] : [stripes];
}

/** @returns {Shape[]} */
export function borders(style, box) {
  const widths = edgesOf(style);
  const paints = SIDES.map((side) => colour(style[`border${side}Color`]));
  const seen = widths.map((width, side) => width > 0 && paints[side]);
  if (!seen.some(Boolean)) return [];
  const told = SIDES.map((side, at) => [widths[at], style[`border${side}Color`], style[`border${side}Style`]].join());
  if (told.every((side) => side === told[0])) {
    const half = widths.map((width) => width / 2);
    const radii = radiiOf(style, box).map((radius) => radius - half[0]);
    return [
      {
        kind: "path",
        d: rectangle(inset(box, half), radii),
        stroke: paints[0],
        width: widths[0],
        dash: dashOf(style.borderTopStyle, widths[0]),
      },
    ];
  }
  const [top, right, bottom, left] = widths;
  const { x, y, width, height } = box;
  const lines = [
    [x, y + top / 2, x + width, y + top / 2],
    [x + width - right / 2, y, x + width - right / 2, y + height],
    [x, y + height - bottom / 2, x + width, y + height - bottom / 2],
    [x + left / 2, y, x + left / 2, y + height],
  ];
  return lines.flatMap(([fromX, fromY, toX, toY], side) =>
    seen[side]
      ? [
          {
            kind: /** @type {const} */ ("path"),
            d: `M${point(fromX, fromY)}L${point(toX, toY)}`,
            stroke: paints[side],
            width: widths[side],
            dash: dashOf(style[`border${SIDES[side]}Style`], widths[side]),
          },
        ]
      : [],
  );
}

const dashOf = (style, width) =>
  style === "dashed" ? [3 * width, 2 * width] : style === "dotted" ? [width, width] : undefined;

/** @returns {Shape[]} */
export function outline(style, box) {
  const width = px(style.outlineWidth);
  const stroke = colour(style.outlineColor);
  if (["none", "auto"].includes(style.outlineStyle) || !width || !stroke || box.width === 0) return [];
  const out = -(px(style.outlineOffset) + width / 2);
  const radii = radiiOf(style, box).map((radius) => (radius ? radius - out : 0));
  return [{ kind: "path", d: rectangle(inset(box, [out, out, out, out]), radii), stroke, width }];
}

/** What a box shows of its children, or a `polygon(…)` of itself, as a path. */
export function clipOf(style, box, how) {
  if (how === "padding") {
    const edges = edgesOf(style);
    const radii = radiiOf(style, box).map((radius) => radius - edges[0]);
    return rectangle(inset(box, edges), radii);
  }
  const corners = how
    .slice("polygon(".length, -1)
    .split(",")
    .map((corner) => corner.trim().split(/\s+/));
  const length = (told, all) => (told.endsWith("%") ? (px(told) / 100) * all : px(told));
  const points = corners.map(([x, y]) => point(box.x + length(x, box.width), box.y + length(y, box.height)));
  return `M${points.join("L")}Z`;
}
