// What happens in a page under test, kept in `window.moe` from its first moment on.

/**
 * An init script. `window.moe` then holds, each in order:
 *
 * - `ready`, `errors`: details of the element's events, with the element's id as `from` and the time as `at_ms`
 * - `steps`: `{ from, at_ms, detail }` of every `moe-step`, unless `ignoresSteps` is set
 * - `messages`: what workers said, without the steps: progress, ready, finished, failed
 * - `loaded_ms`: when a worker last reported a byte
 * - `shifts`, `longTasks`: what the browser itself measured
 *
 * `read` has the questions that a test waits on, each about the element of an id: an answer, or nothing so far.
 */
export function record() {
  const moe = { ready: [], errors: [], steps: [], messages: [], shifts: [], longTasks: [] };
  const of = (list, id) => list.filter(({ from }) => from === id);
  const read = {
    recorded: (id) => of(moe.ready, id).find(({ source }) => source === "recorded"),
    live: (id, count) => of(moe.ready, id).filter(({ source }) => source.startsWith("live"))[count - 1],
    error: (id, words, count) => of(moe.errors, id).filter(({ what }) => what.includes(words))[count - 1],
    step: (id, number, after) =>
      of(moe.steps, id).find(({ detail: { run, step } }) => run > after && step >= number)?.detail,
  };
  window.moe = { ...moe, read };
  const heading = (event) => ({ from: event.target.id, at_ms: performance.now() });
  addEventListener("moe-ready", (event) => moe.ready.push({ ...heading(event), ...event.detail }));
  addEventListener("moe-error", (event) => moe.errors.push({ ...heading(event), ...event.detail }));
  addEventListener("moe-step", (event) => {
    // The detail is made for who reads it, which a benchmark does not.
    if (!window.moe.ignoresSteps) moe.steps.push({ ...heading(event), detail: event.detail });
  });

  window.Worker = class extends Worker {
    constructor(url, options) {
      super(url, options);
      this.addEventListener("message", ({ data }) => {
        // Steps come as text.
        if (typeof data !== "string") moe.messages.push(data);
        if (data?.progress) window.moe.loaded_ms = performance.now();
      });
    }
  };

  const observe = (type, list) =>
    new PerformanceObserver((entries) => list.push(...entries.getEntries())).observe({ type, buffered: true });
  observe("layout-shift", moe.shifts);
  observe("longtask", moe.longTasks);
}
