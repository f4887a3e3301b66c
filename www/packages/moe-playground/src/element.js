// <moe-playground>: a custom element around the page's wasm. Public API and attributes: ../index.d.ts.
//
// It draws nothing itself. Until the application has something to show, the element's own children show through a slot:
// what a page puts there (a picture, a sentence) is the first paint and, should all fail, the fallback. A page may bring
// a first paint that is drawn already, as a declarative shadow root with an element `#root`; it then stands for the slot.

/**
 * @import { MoePlayground as Promised, MoePlaygroundConfig, MoePlaygroundHandle, UserError } from "../index.d.ts"
 */

/** The folder this module was loaded from; everything the element needs lies beside it. */
const BASE = new URL("./", import.meta.url);

/** Attributes, and how the application calls them. They are forwarded as they stand: it checks them. */
const ATTRIBUTES = {
  view: "view",
  model: "model",
  trace: "traceUrl",
  prompt: "prompt",
  seed: "seed",
  "capacity-factor": "capacityFactor",
  policy: "policy",
  group: "group",
  backend: "backend",
};

/** How far outside the window an element starts to load, so that it is ready when a reader reaches it. */
const LOAD_MARGIN = "400px";

const HEAD = `
  <style>:host { display: block } :host([hidden]), [hidden] { display: none }</style>
  <p id="notice" part="notice" role="alert" hidden></p>`;

const ROOT = `<div id="root" part="root"><slot></slot></div>`;

/** @implements {Promised} */
export class MoePlayground extends HTMLElement {
  static observedAttributes = Object.keys(ATTRIBUTES);

  /** @type {HTMLElement} */
  #root;
  /** What the root holds until the application takes over, and again when it is gone. */
  #poster;
  /** @type {HTMLElement} */
  #notice;
  /** @type {Promise<unknown> | undefined} */
  #stylesheet;
  /**
   * The mounted application, or null.
   *
   * @type {MoePlaygroundHandle | null}
   */
  #handle = null;
  /** A number for each attempt to mount; a mount that finishes after its element has left the page is given up. */
  #attempt = 0;
  /**
   * Waits until the element comes near the window.
   *
   * @type {IntersectionObserver | null}
   */
  #observer = null;
  /**
   * The run() from before the application was mounted; only the last one counts.
   *
   * @type {((handle: MoePlaygroundHandle) => void) | null}
   */
  #pending = null;
  #updateIsQueued = false;

  constructor() {
    super();
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    if (!shadow.querySelector("#root")) shadow.innerHTML = ROOT;
    this.#root = /** @type {HTMLElement} */ (shadow.querySelector("#root"));
    this.#poster = [...this.#root.childNodes];
    this.#root.insertAdjacentHTML("beforebegin", HEAD);
    this.#notice = /** @type {HTMLElement} */ (shadow.querySelector("#notice"));
  }

  connectedCallback() {
    if (this.#handle) return; // Only moved within the page.
    if (this.getAttribute("view") === "full" || !("IntersectionObserver" in window)) {
      this.#mount();
      return;
    }
    this.#observer ??= new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && this.#mount(),
      { rootMargin: LOAD_MARGIN },
    );
    this.#observer.observe(this);
    this.#setState("waiting");
  }

  disconnectedCallback() {
    // Moving an element disconnects and connects it in one task: wait until it is certain that it is gone.
    queueMicrotask(() => {
      if (!this.isConnected) this.#unmount();
    });
  }

  attributeChangedCallback() {
    if (!this.#handle || this.#updateIsQueued) return;
    this.#updateIsQueued = true;
    // A page that changes several attributes in a row gets one update.
    queueMicrotask(() => {
      this.#updateIsQueued = false;
      this.#handle?.update(this.#config());
    });
  }

  /** Starts a run, of this prompt or of the one in the field; loads the application first if need be. */
  run(prompt) {
    const text = prompt === undefined ? undefined : String(prompt);
    if (this.#handle) {
      this.#handle.run(text);
    } else {
      this.#pending = (handle) => handle.run(text);
      this.#mount();
    }
  }

  /** Stops the run before its next step. */
  stop() {
    this.#pending = null;
    this.#handle?.stop();
  }

  /** The run so far, as `{ header, steps }`; null while there is none. */
  getTrace() {
    return this.#handle?.getTrace() ?? null;
  }

  /** What the application is told about this element. Absent attributes are absent keys. */
  #config() {
    const config = {
      baseUrl: BASE.href,
      workerUrl: workerUrl(),
    };
    for (const [attribute, key] of Object.entries(ATTRIBUTES)) {
      const value = this.getAttribute(attribute);
      if (value !== null) config[key] = value;
    }
    // A plain name is a model that came with the element; anything else is an address.
    if (/^[\w.-]+$/.test(config.model ?? "")) config.model = new URL(`../models/${config.model}/`, BASE).href;
    return config;
  }

  async #mount() {
    if (!this.isConnected || this.#handle || this.dataset.state === "loading") return;
    this.#observer?.disconnect();
    this.#setState("loading");
    const attempt = ++this.#attempt;
    try {
      const [application] = await Promise.all([loadApplication(), this.#loadStylesheet()]);
      if (attempt !== this.#attempt) return;
      this.#notice.hidden = true;
      // The poster stays in the root until the application has something better, and then leaves in the same frame.
      const handle = application.mount(this.#root, this, this.#config());
      this.#handle = handle;
      this.#setState("mounted");
      this.#pending?.(handle);
      this.#pending = null;
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    }
  }

  #unmount() {
    this.#attempt += 1;
    this.#pending = null;
    this.#observer?.disconnect();
    // It frees the handle as well, so nobody may call it any more.
    const handle = this.#handle;
    this.#handle = null;
    handle?.destroy();
    this.#root.replaceChildren(...this.#poster);
    delete this.dataset.state;
  }

  /** Resolves when the style sheet applies. Without it the page is plain but whole, so its absence is no failure. */
  #loadStylesheet() {
    // The first paint brought it along, and it has been applied: no script runs before it.
    const brought = /** @type {HTMLLinkElement | null} */ (this.shadowRoot?.querySelector("link[rel=stylesheet]"));
    if (brought?.sheet) return undefined;
    this.#stylesheet ??= new Promise((resolve) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = new URL("playground.css", BASE).href;
      link.onload = link.onerror = resolve;
      this.shadowRoot?.prepend(link);
    });
    return this.#stylesheet;
  }

  #fail(error) {
    this.#root.replaceChildren(...this.#poster);
    this.#setState("failed");
    const detail = explain(error);
    this.#notice.textContent = `${detail.what} ${detail.why} ${detail.try_this}`;
    this.#notice.hidden = false;
    console.error("moe-playground:", error);
    this.dispatchEvent(new CustomEvent("moe-error", { detail, bubbles: true, composed: true }));
  }

  /** For style sheets and tests: `waiting`, `loading`, `mounted` or `failed`. */
  #setState(state) {
    this.dataset.state = state;
  }
}

/** The application's module, loaded and initialised once for all elements of a page. */
let application;
function loadApplication() {
  application ??= import("./web.js")
    .then(async (module) => {
      await module.default();
      return module;
    })
    .catch((error) => {
      application = undefined; // The next element, or the next run(), may try again.
      throw error;
    });
  return application;
}

/**
 * Where the worker's script is. Browsers start workers from the page's own origin only; for an element that came from
 * elsewhere, a one-line script of this origin imports the real one.
 */
let ownOriginWorker;
function workerUrl() {
  const url = new URL("worker.js", BASE);
  if (url.origin === location.origin) return url.href;
  ownOriginWorker ??= URL.createObjectURL(
    new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" }),
  );
  return ownOriginWorker;
}

/** An error for people: what happened, why, what to do. The same three fields as everywhere in the project. */
function explain(error) {
  const what = "The playground could not start.";
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (location.protocol === "file:") {
    return {
      what,
      why: "Browsers load no modules from local files.",
      try_this: "Serve the folder, for example with `cargo xtask serve`.",
    };
  }
  if (typeof WebAssembly !== "object" || (error instanceof WebAssembly.CompileError && !/polic/i.test(error.message))) {
    return {
      what,
      why: "This browser lacks a part of WebAssembly that is needed.",
      try_this: "Update the browser; what is shown here needs no update.",
    };
  }
  if (/polic/i.test(why)) {
    return {
      what,
      why,
      try_this: "The page's security policy must allow 'wasm-unsafe-eval' for scripts and blob: for workers.",
    };
  }
  return { what, why, try_this: "Check the connection and reload the page." };
}

if (!customElements.get("moe-playground")) customElements.define("moe-playground", MoePlayground);
