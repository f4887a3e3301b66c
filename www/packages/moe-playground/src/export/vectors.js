// The shapes of a drawing that is a vector drawing already.

import { colour } from "../export/colour.js";

/** @import { PathShape } from "../export/drawing.d.ts" */

/**
 * @param {SVGSVGElement} drawing
 * @returns {PathShape[]}
 */
export function vectors(drawing, origin) {
  const all = /** @type {Iterable<SVGGraphicsElement>} */ (drawing.querySelectorAll("path, rect, circle, line"));
  return [...all].flatMap((element) => {
    const d = pathOf(element);
    const style = getComputedStyle(element);
    const matrix = element.getScreenCTM();
    if (!d || !matrix || style.display === "none" || style.visibility !== "visible") return [];
    const { a, b, c, d: down, e, f } = matrix;
    const fill = faded(style.fill, style.fillOpacity);
    const stroke = faded(style.stroke, style.strokeOpacity);
    if (!fill && !stroke) return [];
    const shape = {
      kind: /** @type {const} */ ("path"),
      d,
      matrix: [a, b, c, down, e - origin.left, f - origin.top],
      fill,
    };
    const keepsWidth = style.vectorEffect === "non-scaling-stroke";
    return [stroke ? { ...shape, stroke, width: Number.parseFloat(style.strokeWidth), keepsWidth } : shape];
  });
}

function faded(told, opacity) {
  const paint = colour(told);
  return paint && { ...paint, alpha: paint.alpha * Number(opacity) };
}

function pathOf(element) {
  const of = (name) => element[name].baseVal.value;
  switch (element.localName) {
    case "path":
      return element.getAttribute("d");
    case "rect":
      return `M${of("x")} ${of("y")}h${of("width")}v${of("height")}h${-of("width")}z`;
    case "circle": {
      const r = of("r");
      return `M${of("cx") - r} ${of("cy")}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
    }
    default:
      return `M${of("x1")} ${of("y1")}L${of("x2")} ${of("y2")}`;
  }
}
