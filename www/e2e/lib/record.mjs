// What happens in a page under test, kept in `window.moe` from its first moment on.

/**
 * An init script. `window.moe` then holds, each in order:
 *
 * - `ready`, `errors`: details of the element's events, with the element's id as `from` and the time as `at_ms`
 * - `steps`: `{ from, at_ms, detail }` of every `moe-step`
 * - `messages`: what workers said, without the steps: progress, ready, finished, failed
 * - `shifts`, `longTasks`: what the browser itself measured
 */
export function record() {
  const moe = { ready: [], errors: [], steps: [], messages: [], shifts: [], longTasks: [] };
  window.moe = moe;
  const heading = (event) => ({ from: event.target.id, at_ms: performance.now() });
  addEventListener("moe-ready", (event) => moe.ready.push({ ...heading(event), ...event.detail }));
  addEventListener("moe-error", (event) => moe.errors.push({ ...heading(event), ...event.detail }));
  addEventListener("moe-step", (event) => moe.steps.push({ ...heading(event), detail: event.detail }));

  window.Worker = class extends Worker {
    constructor(...values) {
      super(...values);
      this.addEventListener("message", ({ data }) => data?.type !== "step" && moe.messages.push(data));
    }
  };

  const observe = (type, list) =>
    new PerformanceObserver((entries) => list.push(...entries.getEntries())).observe({ type, buffered: true });
  observe("layout-shift", moe.shifts);
  observe("longtask", moe.longTasks);
}
