// llama.cpp in WebAssembly: https://github.com/ngxson/wllama.

import { idOf, textOf } from "../models/letters.js";

import { Wllama } from "/packages/@wllama/wllama/esm/index.min.js";

/** @param {{ folder: string, variant: string, maxTokens: number }} model */
export async function load({ folder, variant, maxTokens }) {
  const wasm = { default: "/packages/@wllama/wllama/esm/wasm/wllama.wasm" };
  const wllama = new Wllama(wasm, { suppressNativeLog: true });
  const model = await (await fetch(`${folder}${variant}.gguf`)).blob();
  // One text at a time, on one thread, on the processor.
  const alone = { n_threads: 1, n_gpu_layers: 0, n_parallel: 1, warmup: false };
  await wllama.loadModel([model], { n_ctx: maxTokens, ...alone });
  if (wllama.isMultithread()) throw new Error("it runs on several threads");
  return {
    async write(prompt, count) {
      const greedy = { temperature: 0, top_k: 1, samplers: ["top_k"] };
      // Its server keeps what it knows of a prompt, and would answer from that.
      const asked = { prompt: textOf(prompt), max_tokens: count, cache_prompt: false, ...greedy };
      const { choices } = await wllama.createCompletion(asked);
      return [...choices[0].text.matchAll(/<(\d+)>|[a-z]/g)].map(([letter, id]) => (id ? Number(id) : idOf(letter)));
    },
  };
}
