// Shapes as SVG: vectors and text that any program reads, without a style sheet.

import { short } from "../export/boxes.js";

/** @import { Picture } from "../export/picture.js" */
/** @import { Paint, PathShape, Shape, TextShape } from "../export/drawing.d.ts" */

const SVG = "http://www.w3.org/2000/svg";
const RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
const DC = "http://purl.org/dc/elements/1.1/";
/** The names of our own facts. It is a name, not an address. */
const OURS = "urn:moe-playground";

/**
 * @param {Picture} picture
 * @returns {SVGSVGElement}
 */
export function svg({ width, height, millimetres, shapes, title, alt, caption, facts }) {
  const size = (pixels) => (millimetres ? `${short((pixels / width) * millimetres)}mm` : short(pixels));
  let numClips = 0;
  const root = /** @type {SVGSVGElement} */ (
    element("svg", {
      viewBox: `0 0 ${short(width)} ${short(height)}`,
      width: size(width),
      height: size(height),
      role: "img",
    })
  );
  const write = (/** @type {Shape} */ shape, /** @type {Element} */ into) => {
    if (shape.kind === "group") {
      const attributes = { transform: matrixText(shape.matrix), opacity: shape.alpha === 1 ? undefined : shape.alpha };
      const group = element("g", attributes);
      if (shape.clip) {
        numClips += 1;
        const clip = element("clipPath", { id: `clip-${numClips}` });
        clip.append(element("path", { d: shape.clip }));
        root.append(clip);
        group.setAttribute("clip-path", `url(#clip-${numClips})`);
      }
      for (const inner of shape.shapes) write(inner, group);
      into.append(group);
    } else {
      into.append(shape.kind === "path" ? path(shape) : text(shape));
    }
  };
  root.append(named("title", title), named("desc", alt), metadata({ title, alt, caption, facts }));
  for (const shape of shapes) write(shape, root);
  return root;
}

/** As a file. */
export function svgText(picture) {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg(picture))}\n`;
}

function element(name, attributes, space = SVG) {
  const made = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(key, String(value));
  }
  return made;
}

function named(name, text, space = SVG) {
  const made = element(name, {}, space);
  // XML has no place for most control characters.
  made.textContent = text.replaceAll(/(?![\t\n])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu, "\ufffd");
  return made;
}

/** Who, what, and from where, in Dublin Core; and our own facts by their names. */
function metadata({ title, alt, caption, facts }) {
  const about = element("rdf:Description", {}, RDF);
  const core = {
    title,
    description: alt,
    creator: "MoE Playground",
    source: facts.link,
    rights: "",
    format: "image/svg+xml",
  };
  for (const [name, value] of Object.entries(core)) if (value) about.append(named(`dc:${name}`, value, DC));
  for (const [name, value] of Object.entries({ caption, ...facts })) {
    if (value !== null && value !== "") about.append(named(`moe:${name}`, String(value), OURS));
  }
  const rdf = element("rdf:RDF", {}, RDF);
  rdf.append(about);
  const made = element("metadata", {});
  made.append(rdf);
  return made;
}

const matrixText = (matrix) => matrix && `matrix(${matrix.map((value) => Math.round(value * 1e4) / 1e4).join(" ")})`;

/** @param {string} name @param {Paint | undefined} paint */
function painted(name, paint) {
  if (!paint) return name === "fill" ? { fill: "none" } : {};
  return { [name]: paint.colour, [`${name}-opacity`]: paint.alpha === 1 ? undefined : short(paint.alpha) };
}

/** @param {PathShape} shape */
function path({ d, matrix, fill, stroke, width, dash, keepsWidth }) {
  return element("path", {
    d,
    transform: matrixText(matrix),
    ...painted("fill", fill),
    ...painted("stroke", stroke),
    "stroke-width": stroke && short(width ?? 1),
    "stroke-dasharray": dash?.map(short).join(" "),
    "vector-effect": stroke && keepsWidth ? "non-scaling-stroke" : undefined,
  });
}

/** @param {TextShape} shape */
function text({ text, x, y, length, font, fill, turn, isRightToLeft }) {
  const made = named("text", text);
  const attributes = {
    x: short(x),
    y: short(y),
    // The width it had: other programs have other fonts.
    textLength: text.length > 1 && length > 0 ? short(length) : undefined,
    lengthAdjust: text.length > 1 && length > 0 ? "spacingAndGlyphs" : undefined,
    "font-family": font.family.replaceAll('"', "'"),
    "font-size": short(font.size),
    "font-weight": font.weight === "400" ? undefined : font.weight,
    "font-style": font.style === "normal" ? undefined : font.style,
    "letter-spacing": font.spacing ? short(font.spacing) : undefined,
    "font-variant-numeric": "lining-nums tabular-nums",
    direction: isRightToLeft ? "rtl" : undefined,
    transform: turn ? `rotate(${turn} ${short(x)} ${short(y)})` : undefined,
    "xml:space": undefined,
    ...painted("fill", fill),
  };
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, String(value));
  if (/^\s|\s\s|\s$/.test(text)) made.setAttributeNS("http://www.w3.org/XML/1998/namespace", "xml:space", "preserve");
  return made;
}
