// Starts the engine inside the worker. It must work before any wasm does, so it is written by hand.
//
// Two things can go wrong here that the engine cannot see: its module may fail to load, and the page may speak before
// the engine listens. Failures go to the page as the engine's own `failed` event; early messages are kept.

/** Messages that arrived before the engine was there. */
const early = [];
const keep = (event) => early.push(event);
self.addEventListener("message", keep);

/** Tells the page that this worker is lost, in the form of the engine's event. */
function fail(what, error) {
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const try_this = "If this repeats, reload the page.";
  self.postMessage({ failed: { run: null, error: { what, why, try_this }, fatal: true } });
}

// A trap, such as memory running out, ends the engine without a word of its own.
self.addEventListener("error", (event) => fail("The engine stopped.", event.error ?? event.message));
self.addEventListener("unhandledrejection", (event) => fail("The engine stopped.", event.reason));

try {
  const { default: init, start } = await import("./moe_worker.js");
  await init();
  start();
  self.removeEventListener("message", keep);
  for (const { data, ports } of early.splice(0)) self.dispatchEvent(new MessageEvent("message", { data, ports }));
} catch (error) {
  fail("The engine could not be loaded.", error);
}
