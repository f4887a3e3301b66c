// A page with one engine and one model in it, and what is measured there.

import { gzipSync } from "node:zlib";

import { newPage } from "../lib/browser.mjs";
import { addAttributes } from "../lib/figure.mjs";
import { promptOf } from "./models/letters.js";
import { SHAPES } from "./models/shapes.mjs";

/** Opens a fresh page and loads the model; `first_token_ms` from navigation until it has written a token. */
export async function visit(browser, server, engine, shape) {
  const { page, problems, close } = await newPage(browser);
  page.setDefaultTimeout(300_000);
  const folder = `/models/peers/${shape}/`;
  let url = `${server.url}peer.html`;
  if (engine.driver === "page") {
    url = server.url;
    const model = new URL(folder, server.url).href;
    await addAttributes(page, url, { model, backend: engine.variant, group: "decode-step", "max-tokens": "1" });
  }
  server.paths.clear();
  await page.goto(url);
  const model = { folder, variant: engine.variant, shape: SHAPES[shape], maxTokens: SHAPES[shape].max_tokens };
  const first_token_ms = await page.evaluate(
    async ([driver, model, prompt]) => {
      const { load } = await import(`/peers/pages/${driver}.js`);
      window.moePeer = await load(model);
      await window.moePeer.write(prompt, 1);
      return performance.now();
    },
    [engine.driver, model, promptOf(16)],
  );
  if (problems.length > 0) throw new Error(`${engine.name}: ${problems.join("; ")}`);
  return { page, close, first_token_ms, engine_bytes: await compressed(server) };
}

/** What was fetched since the visit began but for models and what drives them, by gzip at its best. */
async function compressed({ url, paths }) {
  const isOfEngine = (path) => !/^\/(peers|models|peer\.html|$)/.test(path);
  let bytes = 0;
  for (const path of [...paths].filter(isOfEngine)) {
    const answer = await fetch(new URL(path, url));
    bytes += gzipSync(Buffer.from(await answer.arrayBuffer()), { level: 9 }).length;
  }
  return bytes;
}

/** The tokens that it writes after a prompt. */
export function written(page, promptLength, count) {
  return page.evaluate(([prompt, count]) => window.moePeer.write(prompt, count), [promptOf(promptLength), count]);
}

/** Seconds of the processor's time for a prompt and `count` tokens after it: a mean over `at_least_ms`. */
export async function cost(page, processor, promptLength, count, at_least_ms) {
  const before = await processor();
  const num_runs = await page.evaluate(
    async ([prompt, count, at_least_ms]) => {
      const begin = performance.now();
      let num_runs = 0;
      while (performance.now() - begin < at_least_ms) {
        await window.moePeer.write(prompt, count);
        num_runs += 1;
      }
      return num_runs;
    },
    [promptOf(promptLength), count, at_least_ms],
  );
  return ((await processor()) - before) / num_runs;
}
