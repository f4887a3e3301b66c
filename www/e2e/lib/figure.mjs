// A figure on a page as a reader meets it: what it shows, what it tells, and its controls by their names.

import { RUNG } from "./environment.mjs";
import { record } from "./record.mjs";
import { defaultTrace, toJsonLines, withNewTokens } from "./traces.mjs";

/** The engine is large, and a machine that tests often does something else as well. */
const PATIENCE_MS = 120_000;

/**
 * Opens a page with a figure: `{ page, problems, figure }`.
 *
 * `attributes` are laid over those of every figure of the page. The recorded run, which the first live run repeats, is
 * cut to `newTokens`; null leaves it as it is. `prepare(page)` may add routes. `backend` is what figures ask for that say
 * nothing themselves: on the rung of WebGPU that, since by itself a page would run on the CPU, which is faster than a
 * software adapter.
 *
 * @param {{ url: string, open: Function }} site
 * @param {import("node:test").TestContext} t
 * @param {{
 *   path?: string,
 *   attributes?: object,
 *   newTokens?: number | null,
 *   backend?: "auto" | "webgpu" | "cpu",
 *   prepare?: (page: import("playwright-core").Page) => unknown
 * } & import("playwright-core").BrowserContextOptions} options
 */
export async function openFigure(site, t, options = {}) {
  const { path = "", attributes = {}, newTokens = 2, backend = ON_RUNG, prepare, ...others } = options;
  const opened = await site.open(t, withBackend(path, backend), {
    ...others,
    prepare: async (page) => {
      page.setDefaultTimeout(PATIENCE_MS);
      await page.addInitScript(record);
      if (backend !== "auto") await page.addInitScript(askFor, backend);
      if (newTokens !== null) await recordedRun(page, withNewTokens(await defaultTrace(site.url), newTokens));
      if (Object.keys(attributes).length > 0) {
        await addAttributes(page, new URL(withBackend(path, backend), site.url).href, attributes);
      }
      await prepare?.(page);
    },
  });
  return { ...opened, figure: new Figure(opened.page) };
}

/** What a page's figures ask for on the rung under test. */
const ON_RUNG = RUNG === "webgpu" ? "webgpu" : "auto";

/** An init script: figures that the page's HTML brings without a backend ask for this one. */
function askFor(backend) {
  const ask = () => {
    if (document.readyState !== "loading") return observer.disconnect();
    for (const figure of document.querySelectorAll("moe-playground:not([backend])")) {
      figure.setAttribute("backend", backend);
    }
  };
  const observer = new MutationObserver(ask);
  observer.observe(document, { childList: true, subtree: true });
}

/** The page of frames takes its figure's attributes from its address. */
function withBackend(path, backend) {
  if (backend === "auto" || !path.startsWith("embed.html") || /[?&]backend=/.test(path)) return path;
  return `${path}${path.includes("?") ? "&" : "?"}backend=${backend}`;
}

/** Serves this run as the recorded one. */
export function recordedRun(page, trace) {
  const body = toJsonLines(trace);
  return page.route("**/traces/default.jsonl", (route) => route.fulfill({ contentType: "application/x-ndjson", body }));
}

/** Of an attribute that is there twice, the first counts. */
export function addAttributes(page, url, attributes) {
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  const written = Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join("");
  return page.route(url, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replaceAll(/<moe-playground\b/g, `<moe-playground${written}`);
    await route.fulfill({ response, body });
  });
}

/**
 * From now on nothing can be put into the tree of this figure, as where somebody's script or an extension interferes, which
 * the application does not survive. `mend()` in the page ends that.
 */
export function breakDrawing(figure) {
  return figure.host.evaluate((it) => {
    const prototype = /** @type {any} */ (Node.prototype);
    const insert = prototype.insertBefore;
    prototype.insertBefore = function (...values) {
      if (this.getRootNode() === it.shadowRoot) throw new DOMException("No.", "HierarchyRequestError");
      return insert.apply(this, values);
    };
    Object.assign(window, { mend: () => Object.assign(Node.prototype, { insertBefore: insert }) });
  });
}

/** Holds back what matches until `release()`; later requests pass. */
export async function holdBack(page, pattern) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.context().route(pattern, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** Waits until no worker is left: a browser ends one in its own time. */
export function workersEnded(page) {
  return Promise.all(page.workers().map((worker) => new Promise((resolve) => worker.once("close", resolve))));
}

/** Runs a line of JavaScript in every worker before anything else does. */
export function beforeWorker(page, line) {
  return page.context().route(/\/assets\/worker(\.\w+)?\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${line}\n${await response.text()}` });
  });
}

/** For `beforeWorker`: every step takes a moment, however fast the engine is, so that a run can be met running. Steps are
 *  what a worker says as text. */
export const UNHURRIED = `{
    const post = globalThis.postMessage.bind(globalThis);
    globalThis.postMessage = (message, ...rest) => {
      post(message, ...rest);
      const begun = performance.now();
      while (typeof message === "string" && performance.now() - begun < 50);
    };
  }`;

/** For `beforeWorker`: its graphics device is `moeDevice`. */
export const KEEP_DEVICE = `{
    const ask = self.GPUAdapter?.prototype.requestDevice;
    if (ask) GPUAdapter.prototype.requestDevice = async function (...values) {
      return (self.moeDevice = await ask.apply(this, values));
    };
  }`;

export class Figure {
  constructor(page, selector = "moe-playground") {
    this.page = page;
    this.selector = selector;
    this.host = page.locator(selector);
    this.prompt = this.host.getByRole("textbox", { name: "Prompt" });
    this.capacityFactor = this.host.getByRole("slider", { name: "Capacity factor", exact: true });
    this.tokens = this.panel("strip").getByRole("listbox").getByRole("option");
    /** The chip that names the rung. */
    this.engine = this.host.locator(".engine");
    this.notice = this.host.locator(".notice");
    this.stepCount = this.host.locator(".step-count");
  }

  button(name) {
    return this.host.getByRole("button", { name, exact: true });
  }

  /** The panel of this area: by its name in `view`. */
  panel(area) {
    return this.host.locator(`.panel-${area}`);
  }

  /** The run on the screen, `{ header, steps }`. */
  trace() {
    return this.page.evaluate((selector) => document.querySelector(selector).getTrace(), this.selector);
  }

  /** The detail of the `count`th `moe-ready` of a live engine. */
  live(count = 1) {
    return this.#wait("live", count);
  }

  /** The detail of `moe-ready` without an engine. */
  recorded() {
    return this.#wait("recorded");
  }

  /** The detail of the `count`th error whose `what` contains these words. */
  error(words, count = 1) {
    return this.#wait("error", words, count);
  }

  /** Waits until the words behind the engine's chip match; returns them. */
  async engineSays(words) {
    const more = this.engine.locator(".more").filter({ hasText: words });
    await more.waitFor({ state: "attached" });
    return more.textContent();
  }

  /** Waits until the notice on the figure contains these words; returns all of it. */
  async told(words) {
    const notice = this.notice.filter({ hasText: words });
    await notice.waitFor();
    return notice.textContent();
  }

  /** The detail of the first step, from this number on, of a live run later than `after`. */
  step(number, { after = 0 } = {}) {
    return this.#wait("step", number, after);
  }

  /** Waits until a live run later than `after` has come to its end; returns its trace. */
  async finished({ after = 0 } = {}) {
    await this.step(0, { after });
    await this.button("Run").waitFor();
    return this.trace();
  }

  /** Types a prompt into its field and presses Run. */
  async run(prompt) {
    await this.prompt.fill(prompt);
    await this.button("Run").click();
  }

  /** Waits until this step, counted from 1, is on the screen. */
  atStep(number) {
    return this.stepCount.filter({ hasText: new RegExp(`^step ${number} of`) }).waitFor();
  }

  /** Index of the step on the screen, counted from 0. */
  async shownStep() {
    return Number((await this.stepCount.textContent()).match(/^step (\d+)/)[1]) - 1;
  }

  /** `{ token, layer }` of the selection, as the token's panel says it. */
  async selection() {
    const [, token, layer] = (await this.panel("token").textContent()).match(/Token #(\d+) · layer (\d+)/);
    return { token: Number(token), layer: Number(layer) };
  }

  /**
   * Waits until this is selected: a token, a layer or both.
   *
   * @param {{ token?: number | string, layer?: number | string }} what
   */
  async selected({ token = "\\d+", layer = "\\d+" }) {
    await this.panel("token")
      .filter({ hasText: new RegExp(`Token #${token} · layer ${layer}(?!\\d)`) })
      .waitFor();
  }

  /**
   * Waits until something is true of what the page has recorded (`window.moe`) and of this figure's element. `read` is
   * called in the page, by its name in `window.moe.read`: see record.mjs.
   */
  async #wait(read, ...values) {
    const handle = await this.page.waitForFunction(
      ([read, selector, values]) => window.moe.read[read](document.querySelector(selector)?.id, ...values),
      [read, this.selector, values],
    );
    return handle.jsonValue();
  }
}
