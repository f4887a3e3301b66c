// The figure for hosts that allow only frames: attributes are parameters of the address, methods and events are messages.
// docs/EMBEDDING.md has the protocol. A message of anybody who is not on the list in the address, of another version or
// of no known kind is passed over without a word.

{
  const PROTOCOL = { source: "moe-playground", v: 1 };

  const METHODS = ["load", "run", "stop", "stepBy", "seek", "getState", "setState", "getTrace", "route", "toBlob"];

  const EVENTS = ["ready", "progress", "step", "overflow", "finished", "statechange", "error"];

  const parameters = new URL(location.href).searchParams;

  /** The origin of an address that is one and nothing more, in whatever case and with a slash at its end or not. */
  const originOf = (address) => {
    try {
      const { origin, href } = new URL(address);
      return href === `${origin}/` ? [origin] : [];
    } catch {
      return [];
    }
  };

  /** Origins that may hear and ask, with blanks or commas between them. Without them nobody does. */
  const allowed = (parameters.get("origins") ?? "").split(/[\s,]+/).flatMap(originOf);

  const isOfHere = (address) => {
    try {
      return new URL(address, location.href).origin === location.origin;
    } catch {
      return false;
    }
  };

  const figure = document.createElement("moe-playground");
  const defined = customElements.whenDefined("moe-playground").then((element) => {
    const attributes = /** @type {any} */ (element).observedAttributes;
    for (const [name, text] of parameters) {
      // As from a link, runs, models and lessons come from this origin only; those by their names do.
      const isForeign = ["trace", "model", "lesson"].includes(name) && !isOfHere(text);
      if (attributes.includes(name) && !isForeign) figure.setAttribute(name, text);
    }
    document.querySelector("main").append(figure);
  });

  /** A message to those on the list; a browser delivers it only where the frame is one of theirs. */
  const tell = (message) => {
    if (parent === self) return;
    for (const origin of allowed) parent.postMessage({ ...PROTOCOL, ...message }, origin);
  };

  for (const type of EVENTS) figure.addEventListener(`moe-${type}`, ({ detail }) => tell({ type, detail }));

  // How high the figure is says nothing of anybody: every host may know it.
  new ResizeObserver(() => {
    const height = Math.ceil(figure.getBoundingClientRect().height);
    if (height > 0 && parent !== self) parent.postMessage({ ...PROTOCOL, type: "height", height }, "*");
  }).observe(figure);

  addEventListener("message", async ({ data, origin, source }) => {
    if (source !== parent || !allowed.includes(origin)) return;
    if (data?.source !== PROTOCOL.source || data.v !== PROTOCOL.v || data.type !== "call") return;
    const { id, method, values = [] } = data;
    if (!METHODS.includes(method) || !Array.isArray(values)) return;
    const answer = { ...PROTOCOL, type: "result", id };
    await defined;
    try {
      source.postMessage({ ...answer, value: await figure[method](...values) }, origin);
    } catch (error) {
      const { what = "This did not work.", why = String(error), try_this = "" } = error;
      source.postMessage({ ...answer, error: { what, why, try_this } }, origin);
    }
  });
}
