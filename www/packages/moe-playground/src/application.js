// Loads the application for a figure that nears the window: an instance of a module of `web` and the style sheet; and says
// in words what went wrong with either.

/**
 * @import { MoePlaygroundHandle } from "../index.d.ts"
 * @import { UserError } from "../types.d.ts"
 */

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

// A length, so that the texts of a figure are multiples of one size, however they stand inside of each other.
try {
  CSS.registerProperty({ name: "--moe-px", syntax: "<length>", inherits: true, initialValue: "1px" });
} catch {
  // Another copy of this script did.
}

const ENGINES = new URL("./engines.js", import.meta.url).href;

/**
 * The compiled modules, each fetched once for all figures of a page.
 *
 * @type {Map<string, Promise<WebAssembly.Module>>}
 */
const compiled = new Map();

/** How many instances of each were asked for, and those that no figure has. */
const numAsked = { figure: 0, web: 0 };
/** @type {{ figure: Application[], web: Application[] }} */
const idle = { figure: [], web: [] };

/**
 * The file that was asked for when an error came.
 *
 * @type {WeakMap<object, string>}
 */
const asked = new WeakMap();

/**
 * Loaded beside the first instance.
 *
 * @type {import("./engines.js").Engines | undefined}
 */
let engines;

/** An instance of a module, for one figure at a time: a bug of the one leaves the others as they are. */
class Application {
  #name;
  #script;
  /** What works for it, and ends with it. */
  #workers = new Set();
  #isTaken = false;
  #isOver = false;

  constructor(name, script) {
    this.#name = name;
    this.#script = script;
  }

  /**
   * Draws into `root`; `bug` is told of the end that comes with a bug.
   *
   * @param {HTMLElement} root
   * @param {HTMLElement} host
   * @param {(details: string) => void} bug
   * @returns {MoePlaygroundHandle}
   */
  mount(root, host, bug) {
    this.#isTaken = true;
    const handle = this.#script.mount(root, host, {
      baseUrl: BASE.href,
      workerUrl: scriptUrl("worker.js"),
      labUrl: scriptUrl("lab.js"),
      connect: (url, first) => this.#connect(url, first),
      bug: (details) => {
        this.#isOver = true;
        // They would speak to somebody who cannot hear them.
        for (const worker of this.#workers) worker.terminate();
        bug(details);
      },
    });
    const destroy = handle.destroy.bind(handle);
    handle.destroy = () => {
      destroy();
      this.#isTaken = false;
      this.giveBack();
    };
    return handle;
  }

  /** For the next figure, unless one has it or it met a bug. */
  giveBack() {
    if (this.#isTaken || this.#isOver) return;
    this.#workers.clear();
    idle[this.#name].push(this);
  }

  /** Of the module. */
  routeLogits(...values) {
    return this.#script.routeLogits(...values);
  }

  /** A worker of its own, or with a first command what it has of an engine. */
  #connect(url, first) {
    const worker = first === undefined ? startWorker(url, "lost") : engines?.connect(url, first, this);
    this.#workers.add(worker);
    return worker;
  }
}

/**
 * One that no figure has, or a new one.
 *
 * @param {"figure" | "web"} name
 * @returns {Promise<Application>}
 */
export async function application(name) {
  return idle[name].pop() ?? new Application(name, await instance(name));
}

/**
 * The script holds its instance in variables of its own, and what differs after the `#` is another script to a browser, and
 * the same file.
 */
async function instance(name) {
  const { script, wasm, run } = MODULES[name];
  // All are on their way at once; the script asks for nothing by itself.
  if (!compiled.has(name)) compiled.set(name, compile(wasm));
  const compiling = /** @type {Promise<WebAssembly.Module>} */ (compiled.get(name));
  compiling.catch(() => compiled.delete(name)); // The next element, or the next run(), may try again.
  const sharing = import("./engines.js").catch((error) => failed(error, ENGINES));
  sharing.catch(() => {});
  const number = ++numAsked[name];
  const module = await (number === 1 ? run() : import(`${script}#${number}`)).catch((error) => failed(error, script));
  await compiling.then((module_or_path) => module.default({ module_or_path })).catch((error) => failed(error, wasm));
  const { Engines } = await sharing;
  engines ??= new Engines((url) => startWorker(url, "unstartable"));
  return module;
}

async function compile(wasm) {
  const response = await fetch(wasm);
  const isNamed = response.headers.get("Content-Type") === "application/wasm";
  if (isNamed && WebAssembly.compileStreaming) return WebAssembly.compileStreaming(response);
  // A host that calls it something else, or a browser that compiles whole files only.
  if (!response.ok) throw new Error(`${wasm}: ${response.status} ${response.statusText}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

/** @returns {never} */
function failed(error, file) {
  if (error instanceof Object) asked.set(error, file);
  throw error;
}

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

let policy;

/** The address as pages want it that take no texts for scripts. Where they refuse the policy, the browser decides. */
function trusted(url) {
  try {
    policy ??= /** @type {any} */ (globalThis).trustedTypes?.createPolicy("moe-playground", {
      createScriptURL: (url) => url,
    });
  } catch {
    // The name is not allowed.
  }
  return policy ? policy.createScriptURL(url) : url;
}

/** Addresses of workers that the page's policy forbade, as it tells them. */
const forbidden = new Set();
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
  if (effectiveDirective === "worker-src") forbidden.add(blockedURI);
});

/** What those say who cannot start, since another one would meet the same: of an engine, and of the training lab. */
const UNSTARTABLE = {
  unstartable: "The engine could not be loaded.",
  lost: "The training lab could not be loaded.",
};

/**
 * A worker that runs an ES module. One that the page's policy forbids only has an error without a word: it says more here.
 *
 * @param {string} url
 * @param {keyof typeof UNSTARTABLE} kind
 */
function startWorker(url, kind) {
  const worker = new Worker(trusted(url), { type: "module" });
  worker.addEventListener("error", (event) => {
    // Of addresses such as `blob:…` the first word is told.
    const named = [url, new URL(url).protocol.replace(":", "")].find((address) => forbidden.has(address));
    if (!named) return;
    event.stopImmediatePropagation();
    const error = {
      what: UNSTARTABLE[kind],
      why: "The security policy of the page around it forbids workers.",
      try_this: "The policy must allow what docs/EMBEDDING.md lists.",
      details: `worker-src does not allow ${named}`,
    };
    worker.dispatchEvent(new MessageEvent("message", { data: { [kind]: error } }));
  });
  return worker;
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
 * @param {string | undefined} file The one that was asked for.
 * @returns {Promise<UserError | null>}
 */
export async function explain(what, error, file = asked.get(/** @type {object} */ (error))) {
  const details = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (location.protocol === "file:") {
    const why = "Browsers load no modules from local files.";
    return { what, why, try_this: "Serve the folder, for example with `cargo xtask serve`.", details };
  }
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(new Uint8Array(VECTORS))) {
    const why = "This browser lacks a part of WebAssembly that is needed, or it is switched off.";
    return { what, why, try_this: "Try another browser; what is shown here needs none of it.", details };
  }
  if (!file) return null;
  const { explained } = await import("./arrived.js");
  return explained(what, file, error);
}
