// Colours as every program reads them: six digits, and how opaque.

/**
 * @param {string} text - as computed styles have it: `rgb(…)`, `rgba(…)`, `color(srgb …)`; of colours that a page sets also
 *   `oklch(…)` and its like
 * @returns {{ colour: string, alpha: number } | undefined} - `undefined` where nothing is to be seen
 */
export function colour(text) {
  if (/^((ok)?(lab|lch)|color\((?!srgb ))/.test(text)) return colour(inBytes(text));
  const found = /^(rgba?|color)\((?:srgb )?(.*)\)$/.exec(text);
  if (!found) return undefined;
  const [red, green, blue, alpha = 1] = (found[2].match(/[\d.e+-]+/g) ?? []).map(Number);
  if (alpha === 0) return undefined;
  const unit = found[1] === "color" ? 255 : 1;
  const digits = [red, green, blue].map((value) => {
    const byte = Math.round(Math.min(255, Math.max(0, value * unit)));
    return byte.toString(16).padStart(2, "0");
  });
  return { colour: `#${digits.join("")}`, alpha };
}

/** As the browser paints it. */
function inBytes(text) {
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(1, 1).getContext("2d"));
  context.fillStyle = text;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`;
}
