/**
 * `<moe-playground>`: a live Mixture-of-Experts figure.
 *
 * ```html
 * <script type="module" src="https://…/assets/element.js"></script>
 * <moe-playground prompt="The cat sat on the mat." capacity-factor="0.5">
 *   <p>Shown until the figure is ready, and instead of it where it cannot run.</p>
 * </moe-playground>
 * ```
 *
 * The element loads nothing until it comes near the window (`view="full"` loads at once). Several elements on a page
 * share one download; nothing else.
 *
 * Attributes, all optional, all changeable at any time:
 *
 * | attribute         | value                                                                          |
 * | ----------------- | ------------------------------------------------------------------------------ |
 * | `view`            | `full` for the whole page, or panels by name, as in `strip lanes`              |
 * | `model`           | the name of a model beside the element's files, or the address of another      |
 * | `trace`           | the address of the recorded run that is shown first                            |
 * | `prompt`          | the text to begin with                                                         |
 * | `seed`            | seeds sampling and random routing                                              |
 * | `capacity-factor` | slots per expert, as a multiple of an even share                               |
 * | `policy`          | what happens when an expert is full                                            |
 * | `group`           | the tokens that share capacity                                                 |
 * | `backend`         | what to run on; `recorded` downloads no engine                                 |
 *
 * Style it from outside through `::part(root)` and `::part(notice)`. The attribute `data-state` says how far the
 * element is: `waiting`, `loading`, `mounted` or `failed`.
 */

import type { BackendInfo, ModelInfo, Source, StepTrace, TraceHeader, UserError } from "./types.d.ts";

export type * from "./types.d.ts";

/** A run so far: the lines of a trace file. */
export interface MoeTrace {
  header: TraceHeader;
  steps: StepTrace[];
}

/** Where the numbers on the screen come from; `null` where no engine is concerned. */
export interface MoeReady {
  source: Source;
  model: ModelInfo | null;
  backend: BackendInfo | null;
}

/** All events bubble, and cross the boundaries of shadow trees. */
export interface MoePlaygroundEventMap {
  /**
   * The element stands on the rung that it will stay on: an engine is ready with its model; or, without one, the
   * recorded run is there. Again after a restart or a change of `model`, `backend` or `trace`.
   */
  "moe-ready": CustomEvent<MoeReady>;
  /** A forward step, live or replayed, with all it decided. */
  "moe-step": CustomEvent<StepTrace>;
  /** Something failed. The recorded run, or the element's own children, stay visible. */
  "moe-error": CustomEvent<UserError>;
}

export class MoePlayground extends HTMLElement {
  /** Starts a run of this prompt, or of the one in the prompt's field. Gives up whatever runs. Loads the figure first if need be. */
  run(prompt?: string): void;

  /** Stops the run before its next step. */
  stop(): void;

  /** The run so far; `null` while there is none. */
  getTrace(): MoeTrace | null;

  addEventListener<Name extends keyof MoePlaygroundEventMap>(
    type: Name,
    listener: (this: MoePlayground, event: MoePlaygroundEventMap[Name]) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

/**
 * What the element tells the application it mounts: `mount(root, host, config)` of `web.js`. Attributes are texts as
 * the page has them, absent ones are absent keys; addresses are absolute, but for `traceUrl`.
 */
export interface MoePlaygroundConfig {
  view?: string;
  /** The folder or the manifest of a model. */
  model?: string;
  traceUrl?: string;
  prompt?: string;
  seed?: string;
  capacityFactor?: string;
  policy?: string;
  group?: string;
  backend?: string;
  /** The folder of the element's own files, with a slash at its end; `../models/` and `../traces/` lie beside it. */
  baseUrl: string;
  /** The script to start the worker from, as a module. Of the page's own origin, wherever the element came from. */
  workerUrl: string;
}

/** One mounted application. */
export interface MoePlaygroundHandle {
  run(prompt?: string): void;
  stop(): void;
  getTrace(): MoeTrace | null | undefined;
  update(config: MoePlaygroundConfig): void;
  /** Frees the handle too: it must not be used afterwards. */
  destroy(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "moe-playground": MoePlayground;
  }
}
