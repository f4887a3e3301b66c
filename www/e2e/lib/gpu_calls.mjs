// Counts what the worker asks of the GPU, from outside: the prototypes are wrapped in the worker's own scope.

/** In the worker: wraps the calls once; returns how often each was made so far. */
function install() {
  const wrap = (type, method, name) => {
    const original = globalThis[type]?.prototype[method];
    if (!original) return;
    globalThis[type].prototype[method] = function (...values) {
      globalThis.moeGpuCalls[name] += 1;
      return original.apply(this, values);
    };
  };
  if (!globalThis.moeGpuCalls) {
    globalThis.moeGpuCalls = { submit: 0, dispatch: 0, map: 0 };
    wrap("GPUQueue", "submit", "submit");
    wrap("GPUComputePassEncoder", "dispatchWorkgroups", "dispatch");
    wrap("GPUComputePassEncoder", "dispatchWorkgroupsIndirect", "dispatch");
    wrap("GPUBuffer", "mapAsync", "map");
  }
  return { ...globalThis.moeGpuCalls };
}

/** `{ submit, dispatch, map }`: calls of the worker that was started last, since this was first asked. */
export function gpuCalls(page) {
  const worker = page.workers().at(-1);
  if (!worker) throw new Error("the page has no worker");
  return worker.evaluate(install);
}
