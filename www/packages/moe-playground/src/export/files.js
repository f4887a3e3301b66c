// All that a figure gives as a file: one row each, with what a reader calls it and how it is made.

import { csv } from "../export/csv.js";
import { factsOf, sentences, stepOnScreen } from "../export/facts.js";
import { jsonLines } from "../export/jsonl.js";
import { linkOf } from "../export/link.js";
import { npz } from "../export/npz.js";
import { pandas } from "../export/pandas.js";
import { pictureOf } from "../export/picture.js";
import { png } from "../export/png.js";
import { MoePlaygroundError, nothingToSee } from "../export/problem.js";
import { svgText } from "../export/svg.js";
import { inEnglish, speak } from "../export/words.js";

/**
 * @import { MoePlayground, MoePlaygroundPictureOptions } from "../../index.d.ts"
 * @import { TraceFile } from "../../types.d.ts"
 */

/**
 * By media type: the ending of a file, and what makes its contents from a figure's run.
 *
 * @type {Record<string, {
 *   ending: string,
 *   make: (trace: TraceFile, figure: MoePlayground, options: MoePlaygroundPictureOptions) => string | Blob | Promise<string | Blob>
 * }>}
 */
export const KINDS = {
  "image/svg+xml": { ending: "svg", make: (trace, figure, options) => svgText(pictureOf(figure, trace, options)) },
  "image/png": {
    ending: "png",
    make: (trace, figure, options) => png(pictureOf(figure, trace, options), scaleOf(options)),
  },
  "application/x-ndjson": { ending: "jsonl", make: jsonLines },
  "text/csv": { ending: "csv", make: csv },
  "application/x-npz": { ending: "npz", make: npz },
  "text/x-python": { ending: "py", make: asPandas },
};

/** Up to three pixels for each of CSS. */
const scaleOf = ({ scale = 2 }) => Math.min(3, Math.max(1, Number(scale) || 1));

/** The step on the screen for a notebook. */
function asPandas(trace, figure) {
  const state = figure.getState();
  return pandas(stepOnScreen(trace, state), sentences(factsOf(trace.header, linkOf(state)), inEnglish));
}

/**
 * @param {MoePlayground} figure
 * @param {string} type - a key of {@link KINDS}
 * @param {MoePlaygroundPictureOptions} options
 */
export async function blobOf(figure, type, options = {}) {
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  if (!kind) {
    throw new MoePlaygroundError({
      what: `There is no file of the type ${type}.`,
      why: `A figure gives ${Object.keys(KINDS).join(", ")}.`,
      try_this: "Name one of these.",
    });
  }
  const trace = figure.getTrace();
  if (!trace || trace.steps.length === 0) throw nothingToSee();
  await speak(figure);
  return new Blob([await kind.make(trace, figure, options)], { type });
}
