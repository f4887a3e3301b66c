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
 * The element loads nothing until it comes near the window (`view="full"` and `loading="eager"` load at once). Several elements on a page
 * share one download and, where they run the same model on the same backend, one engine; nothing else.
 *
 * Attributes are all optional and may be changed at any time; each is a property of the class below too, `max-tokens` as
 * `maxTokens`. A value that cannot be used is reported by `moe-error` and counts as absent.
 *
 * Style it from outside through `::part(root)` and `::part(notice)`. The attribute `data-state` says how far the
 * element is: `waiting`, `loading`, `mounted` or `failed`.
 */

import type {
  FinishReason,
  GateLogits,
  ReadyDetail,
  Routing,
  Source,
  StepTrace,
  TraceFile,
  UserError,
} from "./types.d.ts";

export type * from "./types.d.ts";

/** All events bubble, and cross the boundaries of shadow trees. */
export interface MoePlaygroundEventMap {
  /**
   * The element stands on the rung that it will stay on: an engine is ready with its model; or, without one, the
   * recorded run is there. Again after a restart or a change of `model`, `backend` or `trace`.
   */
  "moe-ready": CustomEvent<ReadyDetail>;
  /** Bytes of engine or model have arrived, of those of both that will. */
  "moe-progress": CustomEvent<{ loaded_bytes: number; total_bytes: number; from_cache: boolean }>;
  /** A forward step, live or replayed, with all it decided. */
  "moe-step": CustomEvent<StepTrace>;
  /** In the step that was just told, requests were turned away: these, by layer, token and rank. */
  "moe-overflow": CustomEvent<MoePlaygroundOverflow>;
  /** A live run has come to its end. */
  "moe-finished": CustomEvent<{ run: number; reason: FinishReason }>;
  /** Something failed. The recorded run, or the element's own children, stay visible. */
  "moe-error": CustomEvent<UserError>;
  /** Something else stands on the screen: a setting, the selection, the step or the model. */
  "moe-statechange": CustomEvent<MoePlaygroundState>;
}

/** Requests that were turned away. `token` counts from the step's first. */
export interface MoePlaygroundOverflow {
  run: number;
  step: number;
  lost: { layer: number; token: number; rank: number; expert: number }[];
}

/** A run that has ended. Requests and drops are those of the whole text, over all layers, as its last step has them. */
export interface MoePlaygroundSummary {
  run: number;
  reason: FinishReason;
  source: Source;
  prompt: string;
  /** What the model added. */
  written: string;
  num_prompt_tokens: number;
  num_new_tokens: number;
  /** Requests that were kept or turned away. */
  num_requests: number;
  num_lost: number;
  /** Tokens of a layer that lost every request they made there. */
  num_dropped: number;
  /** Mean over the tokens that something predicted, in nats; `null` where there is none. */
  loss: number | null;
}

/** What `route()` takes. */
export interface MoePlaygroundRouting {
  /** Of one group of tokens: a row for each, with a logit for each expert. */
  logits: number[][] | GateLogits;
  /** A rule, as the attribute `router` says it. */
  router: string;
  /** Slots per expert, as a multiple of an even share; without it nobody is turned away. */
  capacityFactor?: number;
  /** What happens when an expert is full; without it `drop`. */
  policy?: "drop" | "bpr" | "dropless";
}

/** The attributes that are not at their defaults, by name: `{ "capacity-factor": "0.5", token: "12" }`. */
export type MoePlaygroundState = Record<string, string | number>;

/** A place in a run. All count from 0, as in traces. */
export interface MoePlaygroundPlace {
  step?: number;
  layer?: number;
  token?: number;
  expert?: number;
}

/** What a figure gives as a file. */
export type MoePlaygroundFileType =
  | "image/svg+xml"
  | "image/png"
  | "application/x-ndjson"
  | "text/csv"
  | "application/x-npz"
  | "text/x-python";

/** How a picture is to be. */
export interface MoePlaygroundPictureOptions {
  /** One of the panels on the screen, as `view` names it; without it all of them. */
  panel?: string;
  /** Of a PNG: pixels for each of CSS, from 1 to 3. Without it 2. */
  scale?: number;
  /** So wide on paper, in millimetres: a journal's column (84) or its page (174). Without it as on the screen. */
  width?: number;
  /** Model, rule, seed and link below the picture; without it `true`. They are in its metadata in any case. */
  caption?: boolean;
  /** Light on white, or as on the screen. Without it for paper. */
  colours?: "paper" | "screen";
}

/** The attributes as properties: `null` stands for an absent one. */
export interface MoePlaygroundAttributes {
  // attributes: generated by `cargo xtask codegen`
  /**
   * The panels to show, with blanks between their names, and one selection for all of them. `full` says that the
   * figure is the whole page: it loads at once instead of when it nears the window, and the first such figure hears
   * its keys while nothing has the focus, so that Space and arrows no longer scroll.
   *
   * Values: full, or one or more of story, strip, layers, lanes, token, load, loss, counts, policies, drops, batch,
   * runs, positions, experts, findings, moments, training, methods, losses, microscope, block, matrix, gate,
   * equation. Default: all panels, as a figure in a page.
   */
  get view(): string | null;
  set view(value: string | null);

  /**
   * How far into the matter the whole page goes: one picture and one event, every decision of the run, or all of that
   * with methods, measurements and experiments. Panels that `view` names are shown at any depth.
   *
   * Values: story, inspect, lab. Default: `inspect`.
   */
  get depth(): string | null;
  set depth(value: "story" | "inspect" | "lab" | null);

  /**
   * The controls that a figure offers, with blanks between their names.
   *
   * Values: none, or one or more of prompt, run, seed, step, capacity, policy, group, k, rule, surgery, save.
   * Default: what the panels have.
   */
  get controls(): string | null;
  set controls(value: string | null);

  /**
   * When the figure loads: as soon as it nears the window, or at once.
   *
   * Values: lazy, eager. Default: `lazy`.
   */
  get loading(): string | null;
  set loading(value: "lazy" | "eager" | null);

  /**
   * The model to run. Another one starts another engine.
   *
   * Values: the name of a model beside the element's files (`models/NAME/`), or the address of a model's folder or
   * `manifest.json`. Default: the model that comes with the page.
   */
  get model(): string | null;
  set model(value: string | null);

  /**
   * The run that is shown first, and instead of a live one where none is possible.
   *
   * Values: the address of a recorded run (JSON lines). Default: the recorded run that comes with the page.
   */
  get trace(): string | null;
  set trace(value: string | null);

  /**
   * The text to begin with. A longer one is kept, but not run.
   *
   * Values: a text of up to 20000 characters. Default: the recorded run's.
   */
  get prompt(): string | null;
  set prompt(value: string | null);

  /**
   * Seeds sampling and random routing.
   *
   * Values: a whole number from 0 to 4294967295. Default: the recorded run's.
   */
  get seed(): string | null;
  set seed(value: number | string | null);

  /**
   * How many tokens the model writes at most.
   *
   * Values: a whole number from 0 to 256. Default: the recorded run's.
   */
  get maxTokens(): string | null;
  set maxTokens(value: number | string | null);

  /**
   * How freely the next token is chosen; 0 always takes the most probable one.
   *
   * Values: 0, or a number from 0.1 to 2. Default: the recorded run's.
   */
  get temperature(): string | null;
  set temperature(value: number | string | null);

  /**
   * The next token is one of so many most probable ones; 0 for any.
   *
   * Values: a whole number from 0 to 1000. Default: the recorded run's.
   */
  get samplingTopK(): string | null;
  set samplingTopK(value: number | string | null);

  /**
   * The next token is one of the fewest most probable ones that have this probability together.
   *
   * Values: a number from 0.05 to 1. Default: the recorded run's.
   */
  get samplingTopP(): string | null;
  set samplingTopP(value: number | string | null);

  /**
   * Slots per expert, as a multiple of an even share.
   *
   * Values: a number from 0.25 to 4. Default: the recorded run's.
   */
  get capacityFactor(): string | null;
  set capacityFactor(value: number | string | null);

  /**
   * What happens when an expert is full.
   *
   * Values: drop, bpr, random-second, dropless. Default: the recorded run's.
   */
  get policy(): string | null;
  set policy(value: "drop" | "bpr" | "random-second" | "dropless" | null);

  /**
   * The routing rule, with its numbers; docs/ROUTING_RULES.md lists them all.
   *
   * Values: a rule such as dense; switch; top_k:2; gshard:proportional; noisy:k=2,std=1; logit_norm:k=2,lambda=1;
   * dense_to_sparse:temperature=0.5,threshold=0.02; deepseek:k=2,groups=2,kept=1,scale=2.5;
   * deepseek_v2:k=2,groups=2,kept=1,scale=1; top_p:0.4; relu; top_any:0.5; null_experts:k=2,nulls=1;
   * hierarchical:groups=2,k_groups=1,k_within=2; prototypes:2; hash:42; balanced_hash; random; per_sequence:2;
   * expert_choice:2; strictly_balanced:2; sinkhorn:1; base:auction; no_token_left_behind:4. Default: the recorded
   * run's.
   */
  get router(): string | null;
  set router(value: string | null);

  /**
   * The routing method that the panel `methods` tries on the recorded gate logits; nothing is run with it. One that
   * mixes is written like one that routes; docs/ROUTING_RULES.md lists them all.
   *
   * Values: a rule as in `router`, or one such as soft_moe:1; smear; meo:2; lory:256; molora; mov; loramoe; mixlora;
   * shared:none. Default: none.
   */
  get method(): string | null;
  set method(value: string | null);

  /**
   * What is changed inside the model for a run; docs/EMBEDDING.md has the forms.
   *
   * Values: none, or changes with blanks between them, such as mute:1,3 force:0,5,7 swap:2,0,1 bias:0,3,-0.5
   * temperature:*,2 noise:*,0.25. Default: the recorded run's.
   */
  get interventions(): string | null;
  set interventions(value: string | null);

  /**
   * Which tokens share an expert's slots.
   *
   * Values: this-text, decode-step. Default: the recorded run's.
   */
  get group(): string | null;
  set group(value: "this-text" | "decode-step" | null);

  /**
   * What the run is compared with: another one, of which only the settings that differ are said. It is computed after
   * the first, while the engine has nothing else to do. It comes with the module of the whole page.
   *
   * Values: settings that differ, with semicolons between them, each a name (prompt, seed, max-tokens, temperature,
   * sampling-top-k, sampling-top-p, capacity-factor, policy, router, interventions, group), a colon and its value,
   * such as capacity-factor:0.5; later in front of them where the run on the screen is the earlier one; a semicolon
   * inside of a value is written \;, and a backslash \\. Default: the run before it, if there is one.
   */
  get against(): string | null;
  set against(value: string | null);

  /**
   * The texts that the panel `batch` runs in step.
   *
   * Values: up to 8 texts, one a line, of 20000 characters together; a line break inside of one is written \n, and a
   * backslash \\. Default: some of the prompts that the page offers.
   */
  get batch(): string | null;
  set batch(value: string | null);

  /**
   * The capacity factor that the policy lab compares overflow policies at.
   *
   * Values: a number from 0.25 to 4. Default: the run's.
   */
  get labFactor(): string | null;
  set labFactor(value: number | string | null);

  /**
   * The moment of the training whose gates the routing time machine shows, counted from 0; the last one where there
   * are fewer.
   *
   * Values: a whole number from 0 to 65536. Default: after a hundredth of the training.
   */
  get moment(): string | null;
  set moment(value: number | string | null);

  /**
   * The step of the run to look at, counted from 0; the last one where there are fewer.
   *
   * Values: a whole number from 0 to 65536. Default: where the recorded run first turned a request away.
   */
  get step(): string | null;
  set step(value: number | string | null);

  /**
   * The layer to look at, counted from 0; the last one where there are fewer.
   *
   * Values: a whole number from 0 to 65536. Default: where the recorded run first turned a request away.
   */
  get layer(): string | null;
  set layer(value: number | string | null);

  /**
   * The token to look at, counted from 0; the last one where there are fewer.
   *
   * Values: a whole number from 0 to 65536. Default: where the recorded run first turned a request away.
   */
  get token(): string | null;
  set token(value: number | string | null);

  /**
   * The expert to look at, counted from 0; the last one where there are fewer.
   *
   * Values: a whole number from 0 to 65536. Default: none.
   */
  get expert(): string | null;
  set expert(value: number | string | null);

  /**
   * What the training lab (`view="training"`) trains: two models of one seed that differ in one thing. The reader's
   * own text is in no attribute.
   *
   * Values: one of collapse, choices, room, bias, noise, expert-choice, logits, upcycle, merging; behind it, if you
   * like, one of grammars, sums, kinds, prose, speech, spanish, rust, json, arithmetic, own, a seed, and settings
   * such as experts=16 (of width, layers, experts, k, d-expert, capacity, batch, rate). Default: `collapse`.
   */
  get experiment(): string | null;
  set experiment(value: string | null);

  /**
   * The step of the decision that the routing microscope has open.
   *
   * Values: logits, scores, choice, queue, capacity, fate, weights, output, proof. Default: `logits`.
   */
  get microscope(): string | null;
  set microscope(value:
    | "logits"
    | "scores"
    | "choice"
    | "queue"
    | "capacity"
    | "fate"
    | "weights"
    | "output"
    | "proof"
    | null);

  /**
   * A lesson, which stands above the figure and leads through it step by step; docs/LESSONS.md says how one is
   * written. It comes with the module of the whole page.
   *
   * Values: the name of a lesson beside the element's files (`lessons/NAME.json`), or the address of one. Default:
   * none.
   */
  get lesson(): string | null;
  set lesson(value: string | null);

  /**
   * What to run on. `auto` is the CPU, whose engine is small; where the browser has WebGPU, that is tried beside it
   * (in a figure once somebody runs something) and takes its place between two runs if it computes the same, at no
   * less than half the CPU's rate, for as long as it works. The CPU multiplies by matrices of 8 bits, as they are
   * stored; `cpu-f32` does it in f32, slower and with the numbers of the recorded runs to the last digits. `recorded`
   * loads no engine.
   *
   * Values: auto, webgpu, cpu, cpu-f32, recorded. Default: `auto`.
   */
  get backend(): string | null;
  set backend(value: "auto" | "webgpu" | "cpu" | "cpu-f32" | "recorded" | null);

  /**
   * When the engine may start, which is several megabytes with its model; until then the recorded run is there.
   * `auto`: as soon as the figure is loaded. `interaction`: with the first thing a reader does that needs it, such as
   * another capacity. `manual`: when Run is pressed or `run()` called.
   *
   * Values: auto, interaction, manual. Default: `interaction` for a figure whose attributes say nothing of the run
   * and whose panels show a run; else `auto`.
   */
  get activate(): string | null;
  set activate(value: "auto" | "interaction" | "manual" | null);

  /**
   * Whether keys that type a character (letters, brackets, comma, point, `?`) move through the figure. Arrows, Home,
   * End, Space and Escape do in either case. A reader switches them beside the list of keys.
   *
   * Values: on, off. Default: `on`.
   */
  get keys(): string | null;
  set keys(value: "on" | "off" | null);

  /**
   * The colours; `auto` follows the reader's system.
   *
   * Values: auto, light, dark. Default: `auto`.
   */
  get theme(): string | null;
  set theme(value: "auto" | "light" | "dark" | null);
  // attributes: end
}

export interface MoePlayground extends MoePlaygroundAttributes {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the element defines a property for each attribute.
export class MoePlayground extends HTMLElement {
  /**
   * The folder of the element's files, relative to the page: for pages whose bundler packed the element's script into one
   * of its own. Said right behind the import. `null`: the folder that the script lies in.
   */
  static assets: string | URL | null;

  /**
   * Loads the figure, without waiting until it nears the window. Resolves with what `moe-ready` says; rejects where there
   * is neither an engine nor a recorded run. All rejections are errors with the three sentences of a {@link UserError}.
   */
  load(): Promise<ReadyDetail>;

  /**
   * Starts a run of this prompt, or of the one in the prompt's field. Gives up whatever runs. Loads the figure first if
   * need be. Resolves when the run has ended; or, where a setting was changed meanwhile, the run that took its place.
   * Rejects where it cannot begin or fails, and when another one is asked for.
   */
  run(prompt?: string): Promise<MoePlaygroundSummary>;

  /** Stops the run before its next step. Resolves when nothing runs any more. */
  stop(): Promise<void>;

  /** So many steps forward, or back. Resolves with the state then. */
  stepBy(steps?: number): Promise<MoePlaygroundState | null>;

  /** The run so far; `null` while there is none. */
  getTrace(): TraceFile | null;

  /** What stands on the screen; `null` while nothing does. The page's address holds the same after its `#`. */
  getState(): MoePlaygroundState | null;

  /**
   * Shows a state that `getState()` gave; what it does not name goes back to its default, but for the panels, which stay
   * then. Resolves with the state on the screen; a run that it asks for follows.
   */
  setState(state: MoePlaygroundState): Promise<MoePlaygroundState | null>;

  /**
   * Goes to a place of the run, or to as much of it as is named. A step that is still to come is waited for. Resolves with
   * the state then.
   */
  seek(place: MoePlaygroundPlace): Promise<MoePlaygroundState | null>;

  /**
   * Routes gate logits of your own, by the router itself: no model is loaded, and nothing on the screen changes. Rejects
   * where the rule looks at more than logits (chance, tokens, learned biases).
   */
  route(routing: MoePlaygroundRouting): Promise<Routing>;

  /**
   * The picture on the screen as SVG or PNG; or the run as JSON lines that `trace` opens again, a CSV table with a row for
   * every request, NumPy arrays (`.npz`), or the step on the screen as Python that makes a pandas table of it.
   * docs/TRACE_FORMAT.md describes them. Rejects with an error that is a {@link UserError} too where there is no run, no
   * such type or no such panel.
   */
  toBlob(type: MoePlaygroundFileType, options?: MoePlaygroundPictureOptions): Promise<Blob>;

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

/** What the element gives the application it mounts: where its files are, and what outlives it. */
export interface MoePlaygroundPlaces {
  /** The folder of the element's own files, with a slash at its end; `../models/` and `../traces/` lie beside it. */
  baseUrl: string;
  /** The script to start the worker from, as a module. Of the page's own origin, wherever the element came from. */
  workerUrl: string;
  labUrl: string;
  /** A worker of this script; with a first command the figure's part of the engine that all share who say the same. */
  connect(url: string, first?: object): object;
  /** Called when the application met a bug of its own. Nothing of it may be called any more. */
  bug(details: string): void;
}

/** One mounted application. */
export interface MoePlaygroundHandle {
  run(prompt?: string): void;
  stop(): void;
  step(steps: number): void;
  getTrace(): TraceFile | null | undefined;
  getState(): MoePlaygroundState | null;
  setState(state: MoePlaygroundState): void;
  seek(place: MoePlaygroundPlace): void;
  /** The attributes of the host changed. */
  update(): void;
  /** Frees the handle too: it must not be used afterwards. */
  destroy(): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "moe-playground": MoePlayground;
  }
}
