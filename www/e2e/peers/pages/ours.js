// Our engine: its worker alone, spoken to as the page does. Every step's trace comes with it, all routing included.

import { textOf } from "../models/letters.js";

/** A worker with a model, on the CPU. `run` calls `onStep` with every step's trace, and resolves at the end of the run. */
export async function start(manifestUrl, backend) {
  const worker = new Worker("/assets/worker.js", { type: "module" });
  /** Sends a command, and hears events until one is what is waited for. */
  const say = (command, hears) =>
    new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => {
        // Steps come several at once, as text.
        for (const event of typeof data === "string" ? JSON.parse(data) : [data]) {
          const lost = event.failed ?? event.unstartable;
          if (lost) reject(new Error(JSON.stringify(lost)));
          if (hears(event)) resolve(event);
        }
      };
      worker.postMessage(command);
    });
  const { ready } = await say({ load: { manifest_url: manifestUrl, backend } }, ({ ready }) => ready);
  if (ready.backend.rung !== "cpu") throw new Error(`it runs on ${ready.backend.name}`);
  let run = 0;
  return {
    routing: ready.model.trained_routing,
    count: async (text) => (await say({ count: text }, ({ counted }) => counted)).counted.num_tokens,
    async run(request, onStep = (_) => {}) {
      run += 1;
      const asked = { run, seed: 1, sampling: { method: "greedy" }, routing: ready.model.trained_routing, ...request };
      const { finished } = await say({ run: asked }, ({ step, finished }) => {
        if (step) onStep(step.trace);
        return finished;
      });
      if (finished.reason !== "length") throw new Error(`a run ended by ${finished.reason}`);
    },
  };
}

/** @param {{ folder: string, variant: string }} model */
export async function load({ folder, variant }) {
  const engine = await start(new URL(`${folder}manifest.json`, location.href).href, variant);
  return {
    async write(prompt, count) {
      const written = [];
      let numSteps = 0;
      // The last step's first candidate is the last token: nobody runs the model on it.
      const request = { prompt: textOf(prompt), max_new_tokens: count - 1, group: "decode_step" };
      await engine.run(request, ({ next }) => {
        numSteps += 1;
        if (numSteps >= prompt.length) written.push(next.candidates[0].id);
      });
      return written;
    },
  };
}
