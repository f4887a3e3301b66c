// A picture as PNG, with what identifies it in text chunks, and its true size on paper.

import { painted } from "../export/canvas.js";
import { MoePlaygroundError } from "../export/problem.js";
import { crc32 } from "../export/zip.js";
import { say } from "../export/words.js";

/** @import { Picture } from "../export/picture.js" */

/**
 * @param {Picture} picture
 * @param {number} scale - 1 to 3
 */
export async function png(picture, scale) {
  const canvas = painted(picture, scale);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) {
    throw new MoePlaygroundError({
      what: say("The picture could not be drawn."),
      why: say("The browser has no room for {width} × {height} pixels.", {
        width: canvas.width,
        height: canvas.height,
      }),
      try_this: say("Choose a smaller scale or a single panel."),
    });
  }
  const plain = new Uint8Array(await blob.arrayBuffer());
  return new Blob([withTexts(plain, textsOf(picture), (96 * scale) / 0.0254)], { type: "image/png" });
}

/** Keywords of the PNG specification (11.3.3), then our own facts. */
function textsOf({ title, alt, caption, facts }) {
  const own = Object.entries(facts).filter(([, value]) => value !== null && value !== "");
  return {
    Title: title,
    Description: alt,
    Comment: caption,
    Source: facts.link,
    Software: "MoE Playground",
    ...Object.fromEntries(own.map(([name, value]) => [`moe-playground:${name}`, String(value)])),
  };
}

/**
 * The file with a chunk for its density and one for each text, after the first chunk.
 *
 * @param {Uint8Array} file
 * @param {Record<string, string>} texts
 * @param {number} perMetre - pixels
 */
export function withTexts(file, texts, perMetre) {
  const encoder = new TextEncoder();
  const density = Math.round(perMetre);
  const chunks = [chunk("pHYs", [...big(density), ...big(density), 1])];
  // International text: keyword, not compressed, no language, no translated keyword.
  for (const [keyword, text] of Object.entries(texts)) {
    chunks.push(
      chunk("iTXt", [...encoder.encode(keyword), 0, 0, 0, 0, 0, ...encoder.encode(text.replaceAll("\0", ""))]),
    );
  }
  const first = 8 + 25;
  const length = file.length + chunks.reduce((sum, part) => sum + part.length, 0);
  const made = new Uint8Array(length);
  made.set(file.subarray(0, first));
  let at = first;
  for (const part of [...chunks, file.subarray(first)]) {
    made.set(part, at);
    at += part.length;
  }
  return made;
}

function chunk(type, data) {
  const named = [...new TextEncoder().encode(type), ...data];
  return Uint8Array.from([...big(data.length), ...named, ...big(crc32(named))]);
}

/** Four bytes, the highest first. */
const big = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
