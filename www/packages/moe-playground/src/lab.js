// Starts the training lab inside a worker of its own. What its module cannot say itself, because it is not there or is
// gone, goes to the page as the lab's own event.

import { explained, raw } from "./arrived.js";
import { heldBack } from "./early.js";

const release = heldBack();

/** Tells the page that this worker is lost, in the form of the lab's event. What the browser says is a detail. */
function fail(what, error) {
  const details = raw(error);
  const why = /memory/i.test(details) ? "There was not enough memory." : "It met something that it was not made for.";
  self.postMessage({ lost: { what, why, try_this: "Start it again, perhaps smaller.", details } });
}

// A trap, such as memory running out, ends the lab without a word of its own.
self.addEventListener("error", (event) => fail("The training stopped.", event.error ?? event.message));
self.addEventListener("unhandledrejection", (event) => fail("The training stopped.", event.reason));

const NOT_LOADED = "The training lab could not be loaded.";
const MODULE = new URL("./moe_lab_worker_bg.wasm", import.meta.url).href;
let asked = new URL("./moe_lab_worker.js", import.meta.url).href;

try {
  const { default: init, start } = await import("./moe_lab_worker.js");
  asked = MODULE;
  await init({ module_or_path: await fetch(MODULE) });
  start();
  release();
} catch (error) {
  const lost = await explained(NOT_LOADED, asked, error);
  if (lost) self.postMessage({ lost });
  else fail(NOT_LOADED, error);
}
