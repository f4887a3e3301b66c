// Messages that arrive in a worker before its module listens.

/** Keeps what arrives from now on. The function that comes back hands it to the listener that there is by then. */
export function heldBack() {
  const early = [];
  const hold = (event) => early.push(event);
  self.addEventListener("message", hold);
  return () => {
    self.removeEventListener("message", hold);
    for (const { data, ports } of early.splice(0)) self.dispatchEvent(new MessageEvent("message", { data, ports }));
  };
}
