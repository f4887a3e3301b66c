// The dialog that shares: the link to exactly this picture, for reading, copying and scanning; and the key that copies it.

import { openEmbed } from "../export/embed.js";
import { linkOf } from "../export/link.js";
import { carryOut, copy, make, openDialog, tell as tellInPassing } from "../export/parts.js";
import { qr } from "../export/qr.js";
import { say, speak } from "../export/words.js";

/** @import { MoePlayground } from "../../index.d.ts" */

/** @param {MoePlayground} figure */
export async function openShare(figure) {
  await speak(figure);
  const state = figure.getState();
  const link = linkOf(state);
  const field = make("input", {
    type: "text",
    readOnly: true,
    value: link,
    "aria-label": say("Link"),
    onfocus: () => field.select(),
  });
  const button = make(
    "button",
    { type: "button", className: "primary", onclick: () => carryOut(tell, () => copyLink(link)) },
    say("Copy link"),
  );
  const words = state?.view
    ? say("Opens this figure by itself, with the same panels, settings and selection.")
    : say("Opens the same model, prompt, settings and selection in the full page.");
  const { tell } = await openDialog(
    figure,
    say("Share"),
    make("p", { className: "fine" }, words),
    make("div", { className: "link" }, field, button),
    qrDrawing(link),
    make(
      "div",
      { className: "buttons" },
      make("button", { type: "button", onclick: () => openEmbed(figure) }, say("Embed in a page …")),
    ),
  );
}

/** Copies the link at once, or shows it where the page may not write to the clipboard. */
export async function copyLinkOf(figure) {
  try {
    await speak(figure);
    await tellInPassing(figure, await copyLink(linkOf(figure.getState())));
  } catch {
    await openShare(figure);
  }
}

async function copyLink(link) {
  await copy({ "text/plain": link });
  return say("Link copied.");
}

/** A code for a class to scan, with the quiet zone that readers need. */
export function qrDrawing(link) {
  const modules = qr(link);
  if (!modules)
    return make("p", { className: "fine" }, say("This link is too long for a QR code: shorten the prompt."));
  const size = modules.length + 8;
  const SVG = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(SVG, "svg");
  const attributes = {
    viewBox: `0 0 ${size} ${size}`,
    role: "img",
    "aria-label": say("QR code of the link"),
    class: "qr",
  };
  for (const [name, value] of Object.entries(attributes)) drawing.setAttribute(name, value);
  const part = (name, of) => {
    const shape = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(of)) shape.setAttribute(key, String(value));
    drawing.append(shape);
  };
  part("rect", { width: size, height: size, fill: "#fff" });
  const dark = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : [])));
  part("path", { d: dark.join(""), fill: "#000", "shape-rendering": "crispEdges" });
  return drawing;
}
