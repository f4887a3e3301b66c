// The element's methods that promise something, for one figure: loaded when the first of them is called.

import { blobOf } from "../export/files.js";
import { MoePlaygroundError } from "../export/problem.js";
import { summaryOf } from "../export/summary.js";

/**
 * @import {
 *   MoePlaygroundHandle, MoePlaygroundPictureOptions, MoePlaygroundPlace, MoePlaygroundRouting, MoePlaygroundState
 * } from "../../index.d.ts"
 * @import { ReadyDetail, UserError } from "../../types.d.ts"
 * @typedef {{
 *   handle: () => MoePlaygroundHandle | null,
 *   mount: () => void,
 *   whenMounted: (kind: string, call: (handle: MoePlaygroundHandle) => void) => Promise<void> | void,
 *   forget: (kind: string) => boolean,
 *   ready: () => ReadyDetail | null,
 *   isLive: () => boolean,
 *   application: () => Promise<any>
 * }} Inside - what an element lets nobody else see. `forget`: takes back what waits for the application. `ready`: what
 *   `moe-ready` said last, while it holds. `isLive`: has a live run begun that has not ended?
 */

/** Why a promise was not kept. */
const REPLACED = {
  what: "This run was given up.",
  why: "Another one was asked for.",
  try_this: "Wait for a run before the next is asked for.",
};
const STOPPED = {
  what: "This run was stopped before it began.",
  why: "stop() was called while the figure was loading.",
  try_this: "Call run() again.",
};
const NO_LOGITS = {
  what: "There are no logits to route.",
  why: "route() takes { logits, router }: rows of numbers, or what a trace has as gate_logits.",
  try_this: "Give a row for each token, with a logit for each expert.",
};
const NO_RULE = {
  what: "There is no rule to route by.",
  why: "route() takes { logits, router }: the router is a text.",
  try_this: 'Name one as the attribute router does, such as "top_k:2".',
};
const RAGGED = {
  what: "These logits cannot be routed.",
  why: "Their rows have different lengths.",
  try_this: "Give a row for each token, with a logit for each expert.",
};

/** The events that end a live run, or say that there is none any more. */
const ENDS = ["moe-finished", "moe-run-failed", "moe-ready"];

/** What was asked of the application is drawn in a task of its own. */
const drawn = () => new Promise((resolve) => setTimeout(resolve));

/** Is it a list of numbers, or of such lists? A buffer's bytes are no numbers. */
const isList = (value) => Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/**
 * Gate logits row after row, and how many each row has.
 *
 * @param {any} logits
 */
function asRows(logits) {
  if (isList(logits?.values) && Number.isInteger(logits.num_experts)) {
    return { numExperts: logits.num_experts, values: Float32Array.from(logits.values) };
  }
  if (!Array.isArray(logits) || logits.length === 0 || !logits.every(isList)) throw new MoePlaygroundError(NO_LOGITS);
  const numExperts = logits[0].length;
  if (logits.some((row) => row.length !== numExperts)) throw new MoePlaygroundError(RAGGED);
  return { numExperts, values: Float32Array.from(logits.flatMap((row) => [...row])) };
}

export class Methods {
  #figure;
  #inside;
  /**
   * What was promised, by the event that keeps it.
   *
   * @type {{ name: string, resolve: (detail: any) => void, reject: (error: unknown) => void }[]}
   */
  #promises = [];

  /**
   * @param {any} figure
   * @param {Inside} inside
   */
  constructor(figure, inside) {
    this.#figure = figure;
    this.#inside = inside;
    for (const name of ENDS) {
      figure.addEventListener(name, ({ target, detail }) => {
        if (target !== figure) return; // Of a figure inside this one.
        if (name !== "moe-run-failed") this.#keep(name, detail);
        else for (const broken of ["moe-finished", "moe-ready"]) this.#break(broken, detail);
      });
    }
  }

  /** @returns {Promise<ReadyDetail>} */
  load() {
    const ready = this.#inside.ready();
    if (ready) return Promise.resolve(ready);
    const promise = this.#promise("moe-ready");
    this.#inside.mount();
    return promise;
  }

  /** @param {string | null} [prompt] */
  async run(prompt) {
    const text = prompt === undefined || prompt === null ? undefined : String(prompt);
    this.#break("moe-finished", REPLACED);
    const ended = this.#promise("moe-finished");
    this.#inside.whenMounted("run", (handle) => handle.run(text));
    const { run, reason } = await ended;
    return summaryOf(this.#figure.getTrace(), run, reason);
  }

  async stop() {
    if (this.#inside.forget("run")) this.#break("moe-finished", STOPPED);
    this.#inside.handle()?.stop();
    await drawn();
    if (this.#inside.isLive()) await this.#next(...ENDS);
  }

  async stepBy(steps = 1) {
    this.#inside.handle()?.step(steps);
    await drawn();
    return this.#figure.getState();
  }

  /** @param {MoePlaygroundState} state */
  async setState(state) {
    // Which panels there are is the element's to know: it may take another module to show them.
    const panels = state?.view;
    if (panels !== undefined && panels !== this.#figure.getAttribute("view")) {
      this.#figure.setAttribute("view", panels);
      await null; // It takes up its attributes in a moment.
    }
    await this.#inside.whenMounted("setState", (handle) => handle.setState(state));
    await drawn();
    return this.#figure.getState();
  }

  /** @param {MoePlaygroundPlace} place */
  async seek(place) {
    await this.#inside.whenMounted("seek", (handle) => handle.seek(place));
    await drawn();
    // A step that is still to come.
    while (this.#inside.isLive() && Number(this.#figure.getState()?.step) < Number(place.step)) {
      await this.#next("moe-statechange", ...ENDS);
    }
    return this.#figure.getState();
  }

  /** @param {MoePlaygroundRouting} routing */
  async route(routing) {
    const { logits, router, capacityFactor, policy } = routing ?? {};
    const { numExperts, values } = asRows(logits);
    if (typeof router !== "string") throw new MoePlaygroundError(NO_RULE);
    const application = await this.#inside.application();
    try {
      return application.routeLogits(numExperts, values, router, capacityFactor, policy);
    } catch (error) {
      throw error instanceof Error ? error : new MoePlaygroundError(/** @type {UserError} */ (error));
    } finally {
      application.giveBack();
    }
  }

  /** @param {string} type @param {MoePlaygroundPictureOptions} [options] */
  toBlob(type, options) {
    return blobOf(this.#figure, type, options);
  }

  /** A promise that the next event of this name keeps. */
  #promise(name) {
    return new Promise((resolve, reject) => this.#promises.push({ name, resolve, reject }));
  }

  #keep(name, detail) {
    for (const { resolve } of this.#take(name)) resolve(detail);
  }

  #break(name, sentences) {
    for (const { reject } of this.#take(name)) reject(new MoePlaygroundError(sentences));
  }

  #take(name) {
    const taken = this.#promises.filter((promise) => promise.name === name);
    this.#promises = this.#promises.filter((promise) => promise.name !== name);
    return taken;
  }

  /** Until one of these events. */
  #next(...names) {
    const listening = new AbortController();
    return new Promise((resolve) => {
      for (const name of names) this.#figure.addEventListener(name, resolve, { signal: listening.signal });
    }).finally(() => listening.abort());
  }
}
