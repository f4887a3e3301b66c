// What stands on the screen is in the page's address, after its `#`: a link shows the same picture elsewhere, a reload
// loses nothing, and Back returns to the run before. This runs before the element is defined, so that what a link says
// is the first thing to be loaded.

{
  const figure = document.querySelector("moe-playground");

  /** Of a state, what a reader moves while she looks: changing it is not worth a step back. */
  const PLACE = new Set(["step", "layer", "token", "expert", "against", "theme", "lang"]);

  /** Steps, keys and sliders come faster than an address should change. */
  const REST_MS = 300;

  const isOfHere = (address) => {
    try {
      return new URL(address, location.href).origin === location.origin;
    } catch {
      return false;
    }
  };

  /** May a link set it? Anybody can write one: it runs no script, and a name that is none stops nothing. */
  const isAttribute = (name) => /^[a-z][a-z-]*$/.test(name) && !/^(on.*|style|class|id)$/.test(name);

  /** What an address says, as attributes by name. Only what lies beside this page is taken from a link. */
  const stateOf = (address) => {
    const { searchParams, hash } = new URL(address);
    const said = [...new URLSearchParams(hash.slice(1))].filter(([name]) => isAttribute(name));
    const state = Object.fromEntries(said);
    // Older links name the model before the `#`.
    state.model ??= searchParams.get("model") ?? "";
    for (const name of ["model", "lesson"]) {
      if (!/^(?!.*\.json$)[\w-][\w.-]*$/.test(state[name] ?? "")) delete state[name];
    }
    if (state.trace && !isOfHere(state.trace)) delete state.trace;
    // The page shows all panels, whatever a figure showed.
    delete state.view;
    delete state.v;
    return state;
  };

  const addressOf = (state) => {
    const address = new URL(location.href);
    address.searchParams.delete("model");
    const told = Object.entries({ v: "1", ...state }).map(([name, text]) => `${name}=${encodeURIComponent(text)}`);
    address.hash = told.join("&");
    return address.href;
  };

  const runOf = (state) => JSON.stringify(Object.entries(state).filter(([name]) => !PLACE.has(name)));

  for (const [name, text] of Object.entries(stateOf(location.href))) figure.setAttribute(name, text);

  let run;
  let timer;
  const write = () => {
    timer = undefined;
    const state = figure.getState();
    if (!state) return;
    const address = addressOf(state);
    const isNew = run !== undefined && runOf(state) !== run;
    run = runOf(state);
    if (address !== location.href) history[isNew ? "pushState" : "replaceState"](null, "", address);
  };
  figure.addEventListener("moe-statechange", () => {
    timer ??= setTimeout(write, REST_MS);
  });

  // Back, Forward, and an address that was typed or pasted.
  addEventListener("popstate", () => {
    clearTimeout(timer);
    timer = undefined;
    const state = stateOf(location.href);
    run = runOf(state);
    figure.setState(state);
  });

  // Modules run before the document is there. Where the element's did not, nobody else could say so.
  addEventListener("DOMContentLoaded", () => {
    if (customElements.get("moe-playground")) return;
    const why =
      self.origin === "null"
        ? "A sandboxed frame has no origin of its own, and the host of these files lets no other origin read them. Open this page by itself, or have its host send Access-Control-Allow-Origin: *."
        : "Its files did not come, or this browser runs no modules. Check the connection and reload the page.";
    const words = Object.assign(document.createElement("p"), { role: "alert" });
    words.append(`The playground could not start. ${why}`);
    const shadow = figure.shadowRoot;
    (shadow ?? figure).prepend(words);
    for (const chip of shadow?.querySelectorAll(".engine") ?? []) chip.textContent = "no engine";
  });
}
