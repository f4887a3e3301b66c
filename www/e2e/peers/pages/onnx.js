// ONNX Runtime in WebAssembly: https://github.com/microsoft/onnxruntime. It runs on the page's thread, so that nothing
// is sent to and fro.

import * as ort from "/packages/onnxruntime-web/dist/ort.wasm.min.mjs";

/** @param {{ folder: string, variant: string, shape: Record<string, number> }} model */
export async function load({ folder, variant, shape }) {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/packages/onnxruntime-web/dist/";
  const file = `${folder}${variant}.onnx`;
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  const { num_kv_heads, num_layers, d_head } = shape;
  const states = Array.from({ length: num_layers }, (_, layer) =>
    ["key", "value"].map((kind) => ({
      past: `layer_${layer}.past_${kind}`,
      present: `layer_${layer}.present_${kind}`,
    })),
  ).flat();
  const nothing = () => new ort.Tensor("float32", new Float32Array(0), [1, num_kv_heads, 0, d_head]);

  /** Reads tokens after those of `cache`: the likeliest next one, and the cache with them. */
  const read = async (ids, cache) => {
    const length = cache.length + ids.length;
    const feeds = {
      ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
      last_position: new ort.Tensor("int32", Int32Array.of(length - 1), [1]),
      length: new ort.Tensor("int32", Int32Array.of(length), []),
      ...cache.states,
    };
    const results = await session.run(feeds);
    const kept = Object.fromEntries(states.map(({ past, present }) => [past, results[present]]));
    const logits = results.logits.data;
    let best = 0;
    for (let id = 1; id < logits.length; id += 1) if (logits[id] > logits[best]) best = id;
    return { next: best, cache: { length, states: kept } };
  };

  return {
    async write(prompt, count) {
      const empty = { length: 0, states: Object.fromEntries(states.map(({ past }) => [past, nothing()])) };
      // A layer that gathers its experts' matrices reads one token at a time.
      const portions = variant === "gather" ? prompt.map((id) => [id]) : [prompt];
      let now = { next: 0, cache: empty };
      for (const ids of portions) now = await read(ids, now.cache);
      const written = [now.next];
      while (written.length < count) {
        now = await read([now.next], now.cache);
        written.push(now.next);
      }
      return written;
    },
  };
}
