// Loads the application for a figure that nears the window: a module of `web` and the style sheet; and says in words
// what went wrong with either.

/** @import { UserError } from "../types.d.ts" */

/** The folder this module was loaded from; everything the element needs lies beside it. */
export const BASE = new URL("./", import.meta.url);

/** The modules by name, of which `figure` holds some panels and `web` all of them and the page around. */
const MODULES = {
  figure: {
    script: new URL("./figure.js", import.meta.url).href,
    wasm: new URL("./figure_bg.wasm", import.meta.url).href,
    style: new URL("./figure.css", import.meta.url).href,
    run: () => import("./figure.js"),
  },
  web: {
    script: new URL("./web.js", import.meta.url).href,
    wasm: new URL("./web_bg.wasm", import.meta.url).href,
    style: new URL("./playground.css", import.meta.url).href,
    run: () => import("./web.js"),
  },
};

/**
 * Those that somebody asked for, each loaded and initialised once for all elements of a page.
 *
 * @type {Map<string, Promise<any>>}
 */
const applications = new Map();

/**
 * The file that was asked for when an error came.
 *
 * @type {WeakMap<object, string>}
 */
const asked = new WeakMap();

/** @param {"figure" | "web"} name */
export function application(name) {
  const known = applications.get(name);
  if (known) return known;
  const loading = load(MODULES[name]).catch((error) => {
    applications.delete(name); // The next element, or the next run(), may try again.
    throw error;
  });
  applications.set(name, loading);
  return loading;
}

async function load({ script, wasm, run }) {
  // Both are on their way at once; the script asks for nothing by itself.
  const response = fetch(wasm);
  response.catch(() => {});
  const module = await run().catch((error) => failed(error, script));
  await response.then((module_or_path) => module.default({ module_or_path })).catch((error) => failed(error, wasm));
  return module;
}

function failed(error, file) {
  if (error instanceof Object) asked.set(error, file);
  throw error;
}

// After a bug nothing of a module may be called any more. It names itself in the event.
for (const name of Object.keys(MODULES)) addEventListener(`moe-${name}-bug`, () => applications.delete(name));

/**
 * The style sheets that were put into shadow trees.
 *
 * @type {WeakMap<ShadowRoot, { name: string, link: HTMLLinkElement, applies: Promise<unknown> }>}
 */
const styles = new WeakMap();

/**
 * Resolves when the module's style sheet applies. Without it the page is plain but whole, so its absence is not a failure.
 *
 * @param {ShadowRoot} shadow
 * @param {"figure" | "web"} name
 */
export function styled(shadow, name) {
  const before = styles.get(shadow);
  if (before?.name === name) return before.applies;
  // The first paint brought it along, and it has been applied: no script runs before it.
  const brought = /** @type {HTMLLinkElement | null} */ (shadow.querySelector("link[rel=stylesheet]"));
  if (!before && brought?.sheet) return Promise.resolve();
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = MODULES[name].style;
  const applies = new Promise((resolve) => {
    link.onload = link.onerror = () => {
      before?.link.remove();
      resolve(null);
    };
  });
  styles.set(shadow, { name, link, applies });
  shadow.prepend(link);
  return applies;
}

/**
 * Where the script of a worker is. Browsers start workers from the page's own origin only; for an element that came from
 * elsewhere, a one-line script of this origin imports the real one. In a sandboxed frame, whose origin is none, it is
 * in the address itself: there a blob's script may import nothing.
 */
const ownOriginScripts = new Map();
export function scriptUrl(name) {
  const url = new URL(name, BASE);
  if (url.origin === self.origin) return url.href;
  if (!ownOriginScripts.has(name)) {
    const script = `import ${JSON.stringify(url.href)};`;
    const type = "text/javascript";
    const own =
      self.origin === "null"
        ? `data:${type},${encodeURIComponent(script)}`
        : URL.createObjectURL(new Blob([script], { type }));
    ownOriginScripts.set(name, own);
  }
  return ownOriginScripts.get(name);
}

/** The smallest module with vector instructions, which browsers of 2021 and later know. */
const VECTORS = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/**
 * An error for people: what happened, why, what to do. The same fields as everywhere in the project.
 *
 * @param {string} what
 * @param {unknown} error
 * @returns {Promise<UserError | null>}
 */
export async function explain(what, error) {
  const details = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (location.protocol === "file:") {
    const why = "Browsers load no modules from local files.";
    return { what, why, try_this: "Serve the folder, for example with `cargo xtask serve`.", details };
  }
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(VECTORS))) {
    const why = "This browser lacks a part of WebAssembly that is needed, or it is switched off.";
    return { what, why, try_this: "Try another browser; what is shown here needs none of it.", details };
  }
  const file = error instanceof Object ? asked.get(error) : undefined;
  if (!file) return null;
  const { explained } = await import("./arrived.js");
  return explained(what, file, error);
}
