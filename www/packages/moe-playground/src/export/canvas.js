// Shapes as pixels. They are drawn, not loaded as an image: a page's security policy need not allow any.

import { fontText } from "../export/texts.js";

/**
 * @import { Picture } from "../export/picture.js"
 * @import { Paint, Shape } from "../export/drawing.d.ts"
 */

const MILLIMETRES_PER_PIXEL = 25.4 / 96;

/**
 * @param {Picture} picture
 * @param {number} scale - pixels for each CSS pixel
 */
export function painted(picture, scale) {
  const { width, height, millimetres, shapes } = picture;
  const factor = scale * (millimetres ? millimetres / MILLIMETRES_PER_PIXEL / width : 1);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * factor);
  canvas.height = Math.round(height * factor);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(factor, factor);
  for (const shape of shapes) draw(shape, context);
  return canvas;
}

/** @param {Shape} shape @param {CanvasRenderingContext2D} context */
function draw(shape, context) {
  context.save();
  if (shape.kind === "group") {
    const { matrix, clip, alpha = 1, shapes } = shape;
    if (matrix) context.transform(...sixOf(matrix));
    if (clip) context.clip(new Path2D(clip));
    context.globalAlpha *= alpha;
    for (const inner of shapes) draw(inner, context);
  } else if (shape.kind === "path") {
    const { d, matrix, fill, stroke, width = 1, dash, keepsWidth } = shape;
    let path = new Path2D(d);
    if (matrix && keepsWidth) {
      const moved = new Path2D();
      moved.addPath(path, new DOMMatrix(matrix));
      path = moved;
    } else if (matrix) context.transform(...sixOf(matrix));
    context.lineWidth = width;
    context.setLineDash(dash ?? []);
    inPaint(context, fill, (colour) => {
      context.fillStyle = colour;
      context.fill(path);
    });
    inPaint(context, stroke, (colour) => {
      context.strokeStyle = colour;
      context.stroke(path);
    });
  } else {
    const { text, x, y, font, fill, turn = 0, isRightToLeft } = shape;
    context.translate(x, y);
    context.rotate((turn * Math.PI) / 180);
    context.font = fontText(font);
    context.letterSpacing = `${font.spacing}px`;
    context.direction = isRightToLeft ? "rtl" : "ltr";
    context.textAlign = isRightToLeft ? "right" : "left";
    inPaint(context, fill, (colour) => {
      context.fillStyle = colour;
      context.fillText(text, 0, 0);
    });
  }
  context.restore();
}

/** @param {Paint | undefined} paint */
function inPaint(context, paint, draw) {
  if (!paint) return;
  const before = context.globalAlpha;
  context.globalAlpha = before * paint.alpha;
  draw(paint.colour);
  context.globalAlpha = before;
}

/** @returns {[number, number, number, number, number, number]} */
const sixOf = (matrix) => /** @type {any} */ (matrix);
