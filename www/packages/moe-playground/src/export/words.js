// The sentences of dialogs, captions and the printed report in the language of the figure. They stand in the code in
// English and are their own keys; the page's catalogue, which lies beside the folder of the page, says them otherwise.
// `cargo xtask tidy` compares the two.

/** @import { MoePlayground } from "../../index.d.ts" */

/** The folder with a catalogue for each language. */
const FOLDER = new URL("../../words/", import.meta.url);

/** A figure without a page of its own speaks as the code does. */
const ENGLISH = { lang: "en", dir: "ltr" };

/**
 * Catalogues by language, each fetched once.
 *
 * @type {Map<string, Promise<Record<string, string>>>}
 */
const catalogues = new Map([["en", Promise.resolve({})]]);

/** @type {Record<string, string>} */
let spoken = {};

/**
 * As the page itself says it, for what lies over it.
 *
 * @param {MoePlayground} figure
 */
export function languageOf(figure) {
  const moe = /** @type {HTMLElement | null | undefined} */ (figure.shadowRoot?.querySelector(".moe-container .moe"));
  return moe ? { lang: moe.lang, dir: moe.dir } : ENGLISH;
}

/**
 * From here on sentences are in this figure's language; in English where its catalogue cannot be had. Figures of one page
 * may speak different ones: whatever says something asks for its own first.
 *
 * @param {MoePlayground} figure
 */
export async function speak(figure) {
  const [code = "en"] = languageOf(figure).lang.split("-");
  let catalogue = catalogues.get(code);
  if (!catalogue) {
    catalogue = fetched(code);
    catalogues.set(code, catalogue);
    // The next dialog may try again.
    catalogue.catch(() => catalogues.delete(code));
  }
  spoken = await catalogue.catch(() => ({}));
}

async function fetched(code) {
  const response = await fetch(new URL(`${code}.json`, FOLDER), { cache: "no-cache" });
  if (!response.ok) throw new Error(`${response.url} was answered with status ${response.status}`);
  return response.json();
}

/**
 * A sentence in the language of now, with the values in the place of their names: `say("Saved as {name}.", { name })`.
 *
 * @param {string} template
 * @param {Record<string, unknown>} values
 */
export const say = (template, values = {}) => filled(spoken[template] ?? template, values);

/** The same as it stands, for files that are read by programs. */
export const inEnglish = (template, values = {}) => filled(template, values);

/** A text that is written here as a constant and said elsewhere: marked, so that catalogues know of it. */
export const marked = (text) => text;

const filled = (template, values) =>
  template.replace(/\{(\w+)\}/g, (name, inside) => (Object.hasOwn(values, inside) ? String(values[inside]) : name));
