// Our engine: its worker alone, spoken to as the page does. Every step's trace comes with it, all routing included.

import { textOf } from "../models/letters.js";

/** @param {{ folder: string, variant: string }} model */
export async function load({ folder, variant }) {
  const worker = new Worker("/assets/worker.js", { type: "module" });
  let run = 0;
  /** Sends a command, and hears events until one has what is waited for. */
  const say = (command, hears) =>
    new Promise((resolve, reject) => {
      worker.onerror = ({ message }) => reject(new Error(message));
      worker.onmessage = ({ data }) => {
        const lost = data.failed ?? data.unstartable;
        if (lost) reject(new Error(JSON.stringify(lost)));
        if (hears(data)) resolve(data);
      };
      worker.postMessage(command);
    });
  const manifest_url = new URL(`${folder}manifest.json`, location.href).href;
  const { ready } = await say({ load: { manifest_url, backend: variant } }, ({ ready }) => ready);
  if (ready.backend.rung !== "cpu") throw new Error(`it runs on ${ready.backend.name}`);
  return {
    async write(prompt, count) {
      run += 1;
      const written = [];
      const request = {
        run,
        prompt: textOf(prompt),
        // The last step's first candidate is the last token: nobody runs the model on it.
        max_new_tokens: count - 1,
        sampling: { method: "greedy" },
        routing: ready.model.trained_routing,
        group: "decode_step",
        seed: 1,
      };
      let numSteps = 0;
      const { finished } = await say({ run: request }, ({ step, finished }) => {
        if (step) {
          numSteps += 1;
          if (numSteps >= prompt.length) written.push(step.trace.next.candidates[0].id);
        }
        return finished;
      });
      if (finished.reason !== "length") throw new Error(`the run ended by ${finished.reason}`);
      return written;
    },
  };
}
