// What a figure says to eyes and ears: every text that is seen, and every name, title and hint, with where it stands.

/** Texts that are nobody's words: of the model's tokens, of code and formulas, of keys, of papers. */
const NOT_SAID = [
  "[dir=auto]",
  "[translate=no]",
  "bdi",
  "code",
  "kbd",
  "textarea",
  "style",
  "math",
  "mark",
  ".formula",
  ".equation",
  ".citation",
  ".wordmark",
  "[lang=en]",
];

const ATTRIBUTES = ["aria-label", "aria-valuetext", "aria-description", "title", "placeholder", "alt"];

/**
 * In the shadow tree: `{ text, where }`, each text once.
 *
 * @param {HTMLElement} host
 * @param {{ notSaid: string[], attributes: string[] }} what
 */
function read(host, { notSaid, attributes }) {
  const root = host.shadowRoot;
  const found = new Map();
  const where = (element) => {
    const panel = element.closest("[class*=panel-], dialog, header.top, .overlay, footer, aside");
    return `${panel?.className || panel?.localName || "page"} > ${element.localName}.${element.className?.baseVal ?? element.className}`;
  };
  const say = (text, element) => {
    const said = text.replaceAll(/\s+/g, " ").trim();
    if (said && !found.has(said)) found.set(said, where(element));
  };
  for (const element of root.querySelectorAll(".moe *")) {
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    for (const name of attributes) if (element.hasAttribute(name)) say(element.getAttribute(name), element);
    if (element.closest(notSaid.join())) continue;
    for (const node of element.childNodes) if (node.nodeType === 3) say(node.nodeValue, element);
  }
  return [...found].map(([text, where]) => ({ text, where }));
}

/** All that is said now. */
export function wordsOf(figure) {
  return figure.host.evaluate(read, { notSaid: NOT_SAID, attributes: ATTRIBUTES });
}

/**
 * Words in Latin letters that are the same in every language: of the field, of files and units, of people and places.
 * Single letters are symbols.
 */
const EVERYWHERE = new Set(
  `MoE Playground MoEs GPU CPU WebGPU WebAssembly CSV JSON SVG PNG HTML Markdown NumPy pandas GitHub URL QR
   id softmax sigmoid logit logits ReLU BPR CV KL nats kB MB GB ms mm px cf aux argmax argtop log exp max min mean sum
   Home End Esc Tab Space Enter Shift Ctrl Alt Page Up Down English alpha beta gamma lambda tau sigma
   live recorded imported default norm bpr fcfs`
    .split(/\s+/)
    .filter(Boolean),
);

/**
 * What several words say together in every language: sources ("Fedus et al. 2021 (Switch)"), names of methods and of
 * programs, licences, files of the project. None of these words is free by itself.
 */
const TOGETHER = [
  /\p{Lu}[\p{L}-]+(?: (?:et al\.|and \p{Lu}[\p{L}-]+))? (?:19|20)\d\d(?: \([\p{L}\d .-]+\))?/gu,
  /\barXiv:[\d.]*/g,
  /\bdocs\/[A-Z]+\.md\b/g,
  /\bMIT\b.{0,4}\bApache 2\.0/gu,
  /\b[Tt]op-(?:k|p|any)\b/g,
  /\p{Lu}[\p{L}-]+(?= 等人)/gu,
  /\b(?:Hugging Face|mesh-TensorFlow|Megatron(?:-LM)?|transformers(?= 的代码))/g,
  /\b(?:Soft MoE|Skywork-MoE|Sinkhorn（S-BASE）|z-loss（ST-MoE）)/gu,
  /(?<![A-Za-z] )\b(?:Switch|Softmax|Logit|Lory|Mixtral|Shazeer|Mod-Squad)\b(?! [A-Za-z])/g,
];

/** Names of methods, models and people: they begin with a capital letter or hold one, a digit, `_` or `-`. */
const isName = (word) => /[A-Z].*[A-Z]|\d|_/.test(word);

/**
 * The words of a text that are English: without what is quoted, which is the model's text, without addresses and years.
 * `names` are words of models and rules.
 *
 * @param {string} text
 * @param {Set<string>} names
 */
export function englishIn(text, names) {
  const quotes = [/“[^”]*”|"[^"]*"|`[^`]*`/g, /\bhttps?:\S+/g];
  const said = [...quotes, ...TOGETHER].reduce((rest, pattern) => rest.replaceAll(pattern, " "), text);
  const words = said.match(/[A-Za-z][A-Za-z0-9_]*/g) ?? [];
  return words.filter((word) => word.length > 1 && !EVERYWHERE.has(word) && !names.has(word) && !isName(word));
}
