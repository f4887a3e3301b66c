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
const scaleOf = ({ scale = 2 }) => Number(scale);

/** The step on the screen for a notebook. */
function asPandas(trace, figure) {
  const state = figure.getState();
  return pandas(stepOnScreen(trace, state), sentences(factsOf(trace.header, linkOf(state)), inEnglish));
}

/**
 * @param {MoePlayground} figure
 * @param {string} type - a key of {@link KINDS}
 * @param {MoePlaygroundPictureOptions} [options]
 */
export async function blobOf(figure, type, options) {
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
  const checked = { ...options };
  for (const [name, { allowed, fits }] of Object.entries(PICTURE)) {
    const value = checked[name];
    if (value === undefined || value === null) delete checked[name];
    else if (!fits(value)) throw notAllowed(name, value, allowed);
  }
  await speak(figure);
  return new Blob([await kind.make(trace, figure, checked)], { type });
}

/** What a picture may be asked for; a script may give anything. */
const PICTURE = {
  scale: { allowed: "a number from 1 to 3", fits: (value) => value >= 1 && value <= 3 },
  width: { allowed: "millimetres from 20 to 2000", fits: (value) => value >= 20 && value <= 2000 },
  colours: { allowed: '"paper" or "screen"', fits: (value) => value === "paper" || value === "screen" },
};

const notAllowed = (name, value, allowed) =>
  new MoePlaygroundError({
    what: `No picture can be made with the ${name} ${String(value)}.`,
    why: `Allowed is ${allowed}.`,
    try_this: "Give one of these, or leave it out.",
  });
