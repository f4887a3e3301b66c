// What crosses a boundary: messages of the worker, lines of a trace file, details of DOM events.
// Generated from crates/moe-trace by `cargo xtask codegen`; change the Rust types instead.

/**
 * One request of a token to an expert.
 */
export type Assignment = {
/**
 * Index of the token within the step.
 */
token: number,
/**
 * 0 for the token's first choice, 1 for its second, …
 */
rank: number, expert: ExpertIdx,
/**
 * What the expert's output is multiplied with when the request is kept. A lost request contributes exactly
 * nothing, whatever its weight.
 */
weight: number,
/**
 * The selection score before any normalisation (for softmax gates: the gate probability).
 */
weight_raw: number, } & ({ "fate": "kept", slot: number, } | { "fate": "lost" } | { "fate": "skipped" } | { "fate": "padding" } | { "fate": "null_expert" } | { "fate": "below_threshold" } | { "fate": "rectified" });

/**
 * Which backend the reader asks for. `recorded` never reaches a worker.
 */
export type BackendChoice = "auto" | "webgpu" | "cpu" | "recorded";

/**
 * What the engine runs on, and why not on something better.
 */
export type BackendInfo = { rung: Rung,
/**
 * The adapter's name for WebGPU, "WebAssembly SIMD" or "native" for the CPU.
 */
name: string,
/**
 * "you asked for it", "this browser has no WebGPU", …
 */
why: string, };

/**
 * How BASE assigns.
 */
export type BaseSolver = "auction" | "exact" | "greedy";

/**
 * A possible next token.
 */
export type Candidate = { id: TokenId, bytes: Array<number>,
/**
 * Softmax probability at temperature 1 over the whole vocabulary.
 */
probability: number, };

/**
 * How many slots an expert has, and who gets them.
 */
export type CapacitySpec = {
/**
 * `cf` in `C = min(T, max(minimum, ceil(cf · k · T / E)))`.
 */
factor: number, rounding: Rounding,
/**
 * Slots an expert has at least.
 */
minimum: number, order: SlotOrder, priority: Priority, };

/**
 * From the page to the worker.
 */
export type Command = { "type": "load", "data": { manifest_url: string, backend: BackendChoice, } } | { "type": "run", "data": RunRequest } | { "type": "stop", "data": RunId };

/**
 * From the worker to the page. Every event of a run carries its id.
 */
export type Event = { "type": "progress", "data": { loaded_bytes: number, total_bytes: number, from_cache: boolean, } } | { "type": "ready", "data": { model: ModelInfo, backend: BackendInfo, } } | { "type": "step", "data": { trace: StepTrace, elapsed_ms: number, } } | { "type": "finished", "data": { run: RunId, reason: FinishReason, } } | { "type": "failed", "data": { run: RunId | null, error: UserError, fatal: boolean, } };

/**
 * An expert within its layer, from 0.
 */
export type ExpertIdx = number;

/**
 * Why a run ended.
 */
export type FinishReason = "length" | "context_full" | "end_of_text" | "stopped";

/**
 * Gate logits of one layer, `[tokens, experts]`, row-major, before any softmax.
 *
 * The constructor is the only place where the shape can be wrong; deserialising goes through it too.
 */
export type GateLogits = { num_experts: number, values: Array<number>, };

/**
 * A transformer block, counted from the embedding upwards, from 0.
 */
export type LayerIdx = number;

/**
 * How one layer routed the tokens of a step.
 */
export type LayerTrace = { layer: LayerIdx, gate_logits: GateLogits, routing: Routing, };

/**
 * What a reader is told about a loaded model. Sizes in parameters and bytes.
 */
export type ModelInfo = { name: string,
/**
 * SHA-256 of the weights file, in lower-case hexadecimal.
 */
weights_sha256: string, num_parameters: number,
/**
 * Parameters that take part in the computation of one token.
 */
num_active_parameters: number, weights_bytes: number, num_layers: number, num_experts: number, vocab_size: number,
/**
 * The longest text the model can see, in tokens.
 */
max_tokens: number,
/**
 * The routing the model was trained with.
 */
trained_routing: RoutingSpec, };

/**
 * The model's expectation after the last token of a step.
 */
export type NextToken = {
/**
 * The most probable tokens under the untempered softmax, most probable first.
 */
candidates: Array<Candidate>,
/**
 * The next step's new token: what sampling took or, inside the prompt, what the prompt says. `None` where the run
 * ends with this step.
 */
chosen: Candidate | null, };

/**
 * Whether GShard's weights are divided by their sum over both chosen experts or only over those that were kept.
 */
export type Normalise = "before_drop" | "after_drop";

/**
 * What happens when more tokens ask an expert than it has slots.
 */
export type Overflow = { "kind": "dropless" } | { "kind": "drop" } & CapacitySpec;

/**
 * The overflow policies of the page's menu: each names an `Overflow` and, for `random_second`, a rule.
 */
export type Policy = "drop" | "bpr" | "random_second" | "dropless";

/**
 * Which tokens are offered slots first.
 */
export type Priority = "position" | "bpr_max" | "bpr_sum" | "random" | "random_per_expert" | "probability";

/**
 * What the page tells whoever embeds it once it stands on the rung that it will stay on: the detail of `moe-ready`.
 * Model and backend are `None` without an engine.
 */
export type ReadyDetail = { source: Source, model: ModelInfo | null, backend: BackendInfo | null, };

/**
 * How sources round the capacity. `Ceil` is the adopted one.
 */
export type Rounding = "ceil" | "floor" | "round" | "mesh" | "tutel" | "fairseq" | "fairseq_eval" | "flaxformer" | "vmoe";

/**
 * Which experts a token asks, and with what weight. `moe-router` checks a spec once and then runs it.
 */
export type RouterSpec = { "rule": "dense" } | { "rule": "switch" } | { "rule": "top_k", k: number, weighting: Weighting, } | { "rule": "gshard", second: SecondExpert, normalise: Normalise, } | { "rule": "noisy", k: number, std: number, } | { "rule": "logit_norm", k: number, lambda: number, } | { "rule": "dense_to_sparse", temperature: number, threshold: number, } | { "rule": "deepseek", k: number, groups: number, kept: number, scale: number, } | { "rule": "deepseek_v2", k: number, groups: number, kept: number, scale: number, } | { "rule": "top_p", threshold: number, } | { "rule": "relu" } | { "rule": "top_any", threshold: number, } | { "rule": "null_experts", k: number, nulls: number, } | { "rule": "hierarchical", groups: number, k_groups: number, k_within: number, } | { "rule": "prototypes", count: number, } | { "rule": "per_sequence", k: number, } | { "rule": "hash", seed: number, } | { "rule": "balanced_hash" } | { "rule": "random" } | { "rule": "expert_choice", average: number, } | { "rule": "strictly_balanced", k: number, } | { "rule": "sinkhorn", k: number, choice: SinkhornChoice, } | { "rule": "base", solver: BaseSolver, } | { "rule": "no_token_left_behind", tries: number, };

/**
 * All decisions of one layer in one step.
 *
 * Whoever makes one sees to it that its records are in order and name tokens and experts there are. What comes out of a
 * file is checked: see [`RoutingError`].
 */
export type Routing = { num_tokens: number, num_experts: number,
/**
 * Slots per expert for this group of tokens; `None` where nobody is ever turned away (dropless).
 */
capacity: number | null,
/**
 * One record per request, ordered by token, then rank.
 */
assignments: Array<Assignment>, };

/**
 * The tokens that share capacity.
 */
export type RoutingGroup = "this_text" | "decode_step";

/**
 * How a layer routes: who asks whom, and what happens when an expert is full.
 */
export type RoutingSpec = { router: RouterSpec, overflow: Overflow, };

/**
 * One generation, from its prompt to its end. Events of a run that was given up are told apart by it.
 */
export type RunId = number;

/**
 * One generation, completely described: the same request gives the same steps.
 */
export type RunRequest = { run: RunId, prompt: string, max_new_tokens: number, sampling: Sampling, routing: RoutingSpec, group: RoutingGroup,
/**
 * Seeds sampling and random routing alike.
 */
seed: number, };

/**
 * The rung of the fallback ladder that an engine stands on.
 */
export type Rung = "webgpu" | "cpu";

/**
 * How the next token is taken from the model's expectation.
 */
export type Sampling = { "method": "greedy" } | { "method": "random", temperature: number, top_k: number, top_p: number, };

/**
 * When GShard's second expert is asked at all. `g2` is the second weight after normalisation over the pair, `u` a
 * uniform draw in [0, 1).
 */
export type SecondExpert = { "when": "always" } | { "when": "never" } | { "when": "threshold", threshold: number, } | { "when": "random", threshold: number, } | { "when": "proportional" } | { "when": "sampled" };

/**
 * What S-BASE selects by.
 */
export type SinkhornChoice = "balanced" | "greedy";

/**
 * The order in which requests are offered slots.
 */
export type SlotOrder = "token_major" | "rank_major";

/**
 * Where numbers on the screen come from. Shown on every panel.
 */
export type Source = "live_gpu" | "live_cpu" | "recorded" | "imported";

/**
 * One forward pass: which tokens went in, how every layer routed them, and what came out.
 */
export type StepTrace = { run: RunId,
/**
 * Steps of a run count from 0.
 */
step: number,
/**
 * Position in the text of `tokens[0]`: 0 where the whole text is run again, the number of cached tokens otherwise.
 */
first_position: number,
/**
 * The tokens of this pass, in order of position.
 */
tokens: Array<TracedToken>,
/**
 * One entry per MoE layer, in order.
 */
layers: Array<LayerTrace>,
/**
 * What the model expects after the last token, and what was taken.
 */
next: NextToken, };

/**
 * An entry of the tokenizer's vocabulary.
 */
export type TokenId = number;

/**
 * A whole recorded run.
 */
export type TraceFile = { header: TraceHeader, steps: Array<StepTrace>, };

/**
 * First line of a trace file: everything needed to say where the steps come from and to run them again.
 */
export type TraceHeader = { schema_version: number, model: ModelInfo, request: RunRequest, source: Source, };

/**
 * A token as it went into a step.
 */
export type TracedToken = { id: TokenId,
/**
 * The token's bytes. They may be a fragment of a character; views join fragments before they decode.
 */
bytes: Array<number>,
/**
 * `-ln p(token | tokens before it)` in nats, in this pass; `None` for the first token of the text, which nothing
 * predicts, and for a token whose predecessor was not part of this or the previous step.
 */
loss: number | null, };

/**
 * What every error becomes where it meets a person.
 */
export type UserError = {
/**
 * "The model could not be loaded."
 */
what: string,
/**
 * "12 of 3,712,000 bytes arrived, then the connection ended."
 */
why: string,
/**
 * "Check the connection and press Retry; the recorded run below still works."
 */
try_this: string, };

/**
 * What the weights of the chosen experts are.
 */
export type Weighting = { "form": "raw" } | { "form": "norm" } | { "form": "softmax_after" } | { "form": "p_norm", p: number, };
