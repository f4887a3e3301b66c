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

/** The worker that was started last. */
function worker(page) {
  const found = page.workers().at(-1);
  if (!found) throw new Error("the page has no worker");
  return found;
}

/** Begins to count, or goes on; returns the counts so far. */
export function countGpuCalls(page) {
  return worker(page).evaluate(install);
}

/** Calls per step since `before`. */
export async function gpuCalls(page, before, num_steps) {
  const after = await worker(page).evaluate(install);
  return Object.fromEntries(Object.keys(after).map((name) => [name, (after[name] - before[name]) / num_steps]));
}
