// The widget's front end: the element of an address, whose attributes are the traits of Python, both ways.

/**
 * @import { MoePlayground, MoePlaygroundState } from "../../../moe-playground/index.d.ts"
 * @typedef {{
 *   get: (name: string) => any, set: (name: string, value: unknown) => void, save_changes: () => void,
 *   on: (event: string, listener: (...values: any[]) => void) => void,
 *   off: (event: string, listener: (...values: any[]) => void) => void,
 *   send: (content: unknown) => void
 * }} Model - what anywidget gives: the traits, and messages
 */

/** The methods that Python may call. */
const METHODS = ["run", "stop", "seek"];

/**
 * Shows the figure in an element of the notebook; returns what takes it away.
 *
 * @param {{ model: Model, el: HTMLElement }} output
 */
async function render({ model, el }) {
  const src = model.get("src");
  try {
    await import(/* @vite-ignore */ src);
  } catch (error) {
    el.textContent = `The figure could not be loaded from ${src}. Check the connection, or set src to another address.`;
    console.error("moe-playground:", error);
    return;
  }
  const figure = /** @type {MoePlayground} */ (document.createElement("moe-playground"));
  figure.className = "moe-playground-widget";
  const fallback = document.createElement("p");
  fallback.textContent = "A figure of which experts each token asks.";
  figure.append(fallback);
  const link = { isTelling: false };
  const over = new AbortController();
  const stop = follow(figure, model, link);
  tell(figure, model, link, over.signal);
  el.append(figure);
  return () => {
    over.abort();
    stop();
    figure.remove();
  };
}

/**
 * The figure follows the traits. Returns what ends that.
 *
 * @param {MoePlayground} figure
 * @param {Model} model
 * @param {{ isTelling: boolean }} link
 */
function follow(figure, model, link) {
  /** @type {[string, (content: any) => unknown][]} */
  const listeners = [];
  const changed = changer(figure);
  for (const [trait, [attribute]] of Object.entries(model.get("_attributes"))) {
    set(figure, attribute, model.get(trait));
    // What comes from the figure itself is on its screen.
    listeners.push([`change:${trait}`, () => link.isTelling || changed(attribute, model.get(trait))]);
  }
  /** Of a trace that Python holds, its address here. */
  let address = "";
  const show = () => {
    URL.revokeObjectURL(address);
    const shown = model.get("_shown");
    const isText = shown.trimStart().startsWith("{");
    address = isText ? URL.createObjectURL(new Blob([shown], { type: "application/x-ndjson" })) : "";
    set(figure, "trace", address || shown || null);
  };
  show();
  listeners.push(["change:_shown", show]);
  const call = ({ type, method, values }) => {
    // What goes wrong is told by `moe-error` too.
    if (type === "call" && METHODS.includes(method)) figure[method](...values).catch(() => {});
  };
  listeners.push(["msg:custom", call]);
  for (const [event, listener] of listeners) model.on(event, listener);
  return () => {
    for (const [event, listener] of listeners) model.off(event, listener);
    URL.revokeObjectURL(address);
  };
}

function set(figure, attribute, value) {
  if (value === null) figure.removeAttribute(attribute);
  else figure.setAttribute(attribute, value);
}

/**
 * Changes attributes of a figure. One that says already what Python wants, since its reader has changed what is on the
 * screen and not the attribute, is no change to the figure: then the state on its screen is changed instead.
 *
 * @param {MoePlayground} figure
 */
function changer(figure) {
  let overruled = new Map();
  const overrule = () => {
    // Its panels are set by their attribute.
    const { view: _, ...state } = { ...figure.getState() };
    for (const [attribute, value] of overruled) {
      if (value === null) delete state[attribute];
      else state[attribute] = value;
    }
    overruled = new Map();
    figure.setState(state).catch(() => {});
  };
  return (attribute, value) => {
    const wanted = value === null ? null : String(value);
    if (figure.getAttribute(attribute) !== wanted) return set(figure, attribute, wanted);
    // Python may change several in a row.
    if (overruled.size === 0) queueMicrotask(overrule);
    overruled.set(attribute, wanted);
  };
}

/**
 * The traits follow the figure: what its reader changes, where its numbers come from, the run on its screen.
 *
 * @param {MoePlayground} figure
 * @param {Model} model
 * @param {{ isTelling: boolean }} link
 * @param {AbortSignal} signal
 */
function tell(figure, model, link, signal) {
  const traits = Object.entries(model.get("_attributes"));
  const save = (values) => {
    link.isTelling = true;
    for (const [trait, value] of Object.entries(values)) model.set(trait, value);
    link.isTelling = false;
    model.save_changes();
  };
  /** Attributes that the state named before: one that it names no more is back at its default. */
  let named = new Set();
  const told = (/** @type {MoePlaygroundState | null} */ state) => {
    if (!state) return;
    const values = {};
    for (const [trait, [attribute, isNumber]] of traits) {
      const value = state[attribute];
      if (value !== undefined) values[trait] = isNumber ? Number(value) : String(value);
      else if (named.has(attribute)) values[trait] = null;
    }
    named = new Set(Object.keys(state));
    save(values);
  };
  const sendTrace = async () => {
    const blob = await figure.toBlob("application/x-ndjson").catch(() => null);
    if (blob && !signal.aborted) model.send({ type: "trace", text: await blob.text() });
  };
  const listen = (name, listener) => figure.addEventListener(name, listener, { signal });
  listen("moe-statechange", ({ detail }) => told(detail));
  listen("moe-ready", ({ detail: { source } }) => {
    save({ source });
    if (source === "recorded") sendTrace();
  });
  listen("moe-finished", sendTrace);
  listen("moe-error", ({ detail }) => save({ error: detail }));
}

export default { render };
