// What crosses a boundary: messages of the worker, lines of a trace file, details of DOM events.
// Generated from crates/moe-trace by `cargo xtask codegen`; change the Rust types instead.

/**
 * What the adapters have come to.
 */
export type AdaptLook = { run: RunId,
/**
 * The steps done before it.
 */
num_steps: number,
/**
 * Of the text that is learned, then of the one that is remembered.
 */
held_out: Array<BeforeAndAfter>,
/**
 * The probe's tokens, each as bytes.
 */
probe_tokens: Array<Array<number>>,
/**
 * Each adapter's share of each token of the probe, `[layers][tokens · adapters]`.
 */
probe_shares: Array<Array<number>>,
/**
 * The adapters as a file: without the texts, with the hash of their model.
 */
saved: Bytes, };

/**
 * An adaptation, completely described: with the same model, the same request gives the same losses.
 */
export type AdaptRequest = { run: RunId, recipe: AdapterRecipe,
/**
 * What is learned. Its last tenth is held out.
 */
text: string,
/**
 * Learned beside it in equal shares, so that it is not forgotten; empty for none.
 */
remembered: string,
/**
 * The text of which is told which adapter each token asks.
 */
probe: string,
/**
 * Steps between two looks at held-out text; 0 for none but the first.
 */
look_every: number, };

/**
 * The model is frozen and the adapters are made.
 */
export type AdaptStart = { run: RunId,
/**
 * Of opened adapters, theirs.
 */
recipe: AdapterRecipe,
/**
 * The name of the frozen model.
 */
model: string,
/**
 * Numbers that are trained.
 */
num_trained: number,
/**
 * Those of the frozen model.
 */
num_frozen: number,
/**
 * The step that comes next: the steps that opened adapters had learned.
 */
next_step: number, };

/**
 * One optimiser step of the adapters.
 */
export type AdaptStep = { run: RunId, step: number,
/**
 * Nats a token, over the batch, before the step.
 */
next_token: number,
/**
 * The localised balance loss before its coefficient, mean over layers; `None` where it is not asked for.
 */
balance: number | null, gradient_norm: number, tokens_per_second: number,
/**
 * Each adapter's mean share over the batch, `[layers][adapters]`.
 */
shares: Array<Array<number>>, };

/**
 * A frozen model and what is to be added to it.
 */
export type Adaptation = { request: AdaptRequest, model: ModelFiles,
/**
 * Adapters that were saved, to go on from. Their own recipe takes the place of the request's.
 */
adapters: Bytes | null, };

/**
 * What adapters are, and how they are trained.
 */
export type AdapterRecipe = {
/**
 * MoLoRA without `k`, MoV, or LoRAMoE.
 */
rule: MixerSpec,
/**
 * Adapters beside the feed-forward of each layer.
 */
num_adapters: number,
/**
 * Inner width of a LoRA expert; vectors have none.
 */
rank: number,
/**
 * A LoRA expert's change counts `alpha / rank`.
 */
alpha: number,
/**
 * Sequences per step.
 */
num_sequences: number,
/**
 * Tokens per sequence.
 */
num_tokens: number, learning_rate: number,
/**
 * Coefficient of the localised balance loss (LoRAMoE, arXiv:2312.09979); 0 for none. It needs a text to remember.
 */
balance: number,
/**
 * Of initial adapters and batches.
 */
seed: number, };

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
 * Losses beside that of the next token.
 */
export type AuxiliaryLoss = "importance" | "load" | "balance" | "device_balance" | "sequence_balance" | "localized_balance" | "z" | "entropy" | "mutual_information" | "second_place" | "l1";

/**
 * Which backend the reader asks for. `recorded` never reaches a worker.
 */
export type BackendChoice = "auto" | "webgpu" | "cpu" | "cpu_f32" | "recorded";

/**
 * What the engine runs on, and why not on something better.
 */
export type BackendInfo = { rung: Rung,
/**
 * The adapter's name for WebGPU, "WebAssembly SIMD" and its arithmetic for the CPU.
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
 * A sequence of a batch.
 */
export type BatchEntry = {
/**
 * Which of the batch's sequences, from 0; the request's prompt is 0, its companions follow.
 */
sequence: number,
/**
 * How many of the step's tokens are its own. They follow those of the entry before.
 */
num_tokens: number,
/**
 * Position of its first token here: 0 where the whole text is one group, the number of cached tokens otherwise.
 */
first_position: number,
/**
 * How many of the tokens here are the prompt's; absent where the request tells, or nobody knows.
 */
num_prompt_tokens?: number,
/**
 * What the model expects after its last token, and what was taken; absent where nobody recorded it.
 */
next?: NextToken,
/**
 * What was sampled last and never fed, so that no layer has rows of it.
 */
unrouted_tail?: TracedToken, };

/**
 * Nats a token of held-out text: of the frozen model alone, and with its adapters.
 */
export type BeforeAndAfter = { before: number, after: number, };

/**
 * Shared, so that a copy costs nothing.
 */
export type Bytes = Uint8Array;

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
 * The experts that the rows of a layer asked, as a table with `top_k` columns.
 *
 * The constructors are the only places where a table can be wrong; deserialising goes through them too.
 */
export type Choices = {
/**
 * Experts of the layer; where the source does not say, the highest id it names and one.
 */
num_experts: number, top_k: number,
/**
 * `[rows, top_k]`, row-major. −1: not recorded, or this row has fewer experts; a whole row of −1 is an unknown
 * decision.
 */
expert_ids: Array<number>,
/**
 * `[rows, top_k]`, as the source has them (see `weight_kind` in the header); absent where it has none.
 */
weights?: Array<number | null>,
/**
 * `[rows, top_k]`: was the request served, or turned away? Absent where nobody wrote it down.
 */
served?: Array<boolean | null>, };

/**
 * From the page to the worker.
 */
export type Command = { "load": { manifest_url: string, backend: BackendChoice, } } | { "try": { manifest_url: string, } } | { "run": RunRequest } | { "count": string } | "remove_kept" | { "route_then": { run: RunId, text: string, } } | { "stop": RunId };

/**
 * How experts are distilled into one feed-forward: first each layer by itself, then all together on the text.
 */
export type Distilling = {
/**
 * Steps in which each layer learns what the layer of experts says of the same states.
 */
layer_steps: number,
/**
 * Steps that follow, in which the model learns from the text and from what the teacher expects.
 */
text_steps: number, };

/**
 * What is downloaded before a model can run.
 */
export type Download = "engine" | "model";

/**
 * From the worker to the page. Every event of a run carries its id.
 */
export type Event = { "progress": { part: Download, loaded_bytes: number, total_bytes: number, from_cache: boolean, at_ms: number, } } | { "ready": { model: ModelInfo, backend: BackendInfo, } } | { "offered": { rung: Rung, } } | { "declined": { why: string, } } | { "step": { trace: SentStep, elapsed_ms: number, } } | { "counted": { text: string, num_tokens: number, } } | { "routed_then": GateHistory } | { "finished": { run: RunId, reason: FinishReason, } } | { "failed": { run: RunId | null, error: UserError, fatal: boolean, } } | { "kept": { bytes: number, why_not: string | null, } } | { "unstartable": UserError };

/**
 * Experts of a layer.
 */
export type ExpertCount = { "exactly": number } | { "at_least": number } | "unknown";

/**
 * An expert within its layer, from 0.
 */
export type ExpertIdx = number;

/**
 * How often each expert was asked, where nobody wrote down by which token: a load record.
 */
export type ExpertLoad = {
/**
 * `[experts]`: requests, at least 0. Some sources let them decay, so they may be fractions.
 */
requests: Array<number>, };

/**
 * Why a run ended; one of a batch, why the text that went on longest did.
 */
export type FinishReason = "length" | "context_full" | "end_of_text" | "stopped";

/**
 * A text routed by the gates of every moment, nobody turned away.
 */
export type GateHistory = {
/**
 * What it was asked by.
 */
run: RunId,
/**
 * The moments: training steps done, ascending. The last is the trained model.
 */
steps: Array<number>,
/**
 * The text, as the model reads it.
 */
ids: Array<number>, num_layers: number,
/**
 * Experts that a token asks.
 */
k: number,
/**
 * `[moments, layers, tokens, k]`: experts by rank, [`NOBODY`] where a token made fewer requests.
 */
choices: Bytes,
/**
 * What the models of these moments themselves did, recorded while they were trained.
 */
recorded: RecordedHistory, };

/**
 * Gate logits of one layer, `[tokens, experts]`, row-major, before any softmax.
 *
 * The constructor is the only place where the shape can be wrong; deserialising goes through it too.
 */
export type GateLogits = { num_experts: number, values: Array<number>, };

/**
 * A layer's gate: what a token's state is multiplied with to get its logits.
 */
export type GateWeights = { layer: LayerIdx, num_experts: number,
/**
 * `[experts, d_model]`, row-major.
 */
values: Array<number>, };

/**
 * What an expert's id counts.
 */
export type IdSpace = "logical_global" | "physical";

/**
 * One change, in force from the run's first step to its last. Several act together, in the order they are listed.
 */
export type Intervention = { "kind": "mute", layer: LayerIdx, expert: ExpertIdx, } | { "kind": "force", layer: LayerIdx, position: number, expert: ExpertIdx, } | { "kind": "swap", layer: LayerIdx, experts: [ExpertIdx, ExpertIdx], } | { "kind": "router_temperature", layer: LayerIdx | null, temperature: number, } | { "kind": "bias", layer: LayerIdx, expert: ExpertIdx, bias: number, } | { "kind": "gate_noise", layer: LayerIdx | null, deviation: number, };

/**
 * A kind of held-out text under a kept state.
 */
export type KindOfText = { name: string,
/**
 * Nats a token.
 */
held_out: number,
/**
 * Requests per expert, for each MoE layer: `[layers][experts]`.
 */
demand: Array<Array<number>>, };

/**
 * A text of a kind. It is part of the request, so a saved training has its text with it.
 */
export type KindText = { kind: string, text: string, };

/**
 * A transformer block, counted from the embedding upwards, from 0.
 */
export type LayerIdx = number;

/**
 * How one layer routed the tokens of a step. What nobody recorded is absent; of `routing`, `choices` and `load` there is
 * one at most. docs/TRACE_FORMAT.md says what each field means.
 */
export type LayerTrace = { layer: LayerIdx, rows?: Array<number>, gate_logits?: GateLogits, gate_probs?: Scores, selection_scores?: Scores, selection_bias?: Array<number>, routing?: Routing, choices?: Choices, load?: ExpertLoad, output_norms?: OutputNorms, };

/**
 * What is blended, and by which shares. `moe-router` checks a spec once and then runs it.
 */
export type MixerSpec = { "rule": "soft_moe", slots: number, } | { "rule": "smear" } | { "rule": "meo", k: number, } | { "rule": "lory", segment: number, } | { "rule": "molora", k: number | null, } | { "rule": "mov" } | { "rule": "loramoe" } | { "rule": "mixlora" } | { "rule": "shared", gate: SharedGate, };

/**
 * One model of the list. Sizes in bytes and parameters.
 */
export type ModelEntry = { name: string,
/**
 * What it is, in a few words: "top-2 of 8, balanced".
 */
title: string,
/**
 * Where its manifest lies, relative to the list. For a model beside the page this is its name in links.
 */
folder: string,
/**
 * Weights and tokenizer as they lie.
 */
download_bytes: number, num_parameters: number, num_active_parameters: number, num_experts: number,
/**
 * Tokens it learned from, as `ModelInfo` has them.
 */
training_tokens?: number,
/**
 * The routing rule it was trained with, in the textual form of docs/ROUTING_RULES.md: `top_k:2`.
 */
rule: string, };

/**
 * The files of a model's folder. Whoever reads them checks the hashes that the manifest names.
 */
export type ModelFiles = { manifest: Bytes, weights: Bytes, tokenizer: Bytes, };

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
num_active_parameters: number, weights_bytes: number, num_layers: number, num_experts: number,
/**
 * Experts of a layer that compute every token beside those it is routed to. No gate decides about them, and no
 * routing speaks of them.
 */
num_shared_experts?: number, vocab_size: number,
/**
 * The longest text the model can see, in tokens.
 */
max_tokens: number,
/**
 * Tokens it learned from, those of the model it began with among them; absent where nobody wrote it down. Losses of
 * models that learned from more or less of them say little about anything else.
 */
training_tokens?: number,
/**
 * The routing the model was trained with.
 */
trained_routing: RoutingSpec, };

/**
 * Experts that are made of a dense feed-forward (sparse upcycling, arXiv:2212.05055): each is a copy of it. Where the
 * rule's weights sum to 1, the model says what it said before.
 */
export type NewExperts = { num_experts: number,
/**
 * Deviation of what is added to the copies, as a part of the root mean square of each matrix; 0 for none.
 */
noise: number, rule: TrainedRule, };

/**
 * The model's expectation after the last token of a sequence.
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
 * Where a trace comes from.
 */
export type Origin = { source: Source,
/**
 * The program that computed the routes: `moe-playground`, `vllm`, `sglang`, `llama.cpp`, `transformers` …
 */
producer: string,
/**
 * Its version, where it is known.
 */
version?: string,
/**
 * The format it was read from, where that was not this one: `sglang-schema`, `hf-router-logits` …
 */
format?: string,
/**
 * The model's name, as the source has it.
 */
model_name?: string, };

/**
 * Euclidean lengths of what experts added to their tokens.
 */
export type OutputNorms = {
/**
 * One per assignment of the routing, or per expert id of the choices.
 */
experts: Array<number | null>,
/**
 * `[rows]`: of the shared experts together.
 */
shared?: Array<number>, };

/**
 * What happens when more tokens ask an expert than it has slots.
 */
export type Overflow = { "kind": "dropless" } | { "kind": "drop" } & CapacitySpec;

/**
 * A part of a trace that a source may not have.
 */
export type Part = "expert_ids" | "load" | "weights" | "gate_logits" | "gate_probs" | "fates" | "num_experts" | "top_k" | "moe_layer_ids" | "token_ids" | "prompt_token_ids" | "token_text" | "positions" | "losses" | "expectations" | "selection_bias" | "selection_scores" | "shared_output_norms";

/**
 * A pass as another program counts it.
 */
export type PassId = {
/**
 * Its own number of the pass or training step.
 */
number: number, rank?: number, microbatch?: number, };

/**
 * Where a patch lies, all counted from 0.
 */
export type Patch = {
/**
 * Which image of the input.
 */
image: number, row: number, column: number, };

/**
 * The overflow policies of the page's menu: each names an `Overflow` and, for `random_second`, a rule.
 */
export type Policy = "drop" | "bpr" | "random_second" | "dropless";

/**
 * Which tokens are offered slots first.
 */
export type Priority = "position" | "bpr_max" | "bpr_sum" | "random" | "random_per_expert" | "probability";

/**
 * The order in which the experts of a row are listed.
 */
export type RankOrder = "preference" | "expert_id" | "not_stated";

/**
 * What a figure tells its host once it stands on the rung that it will stay on: the detail of `moe-ready`.
 * Model and backend are `None` without an engine.
 */
export type ReadyDetail = { source: Source, model: ModelInfo | null, backend: BackendInfo | null, };

/**
 * Held-out tokens as the model of each moment routed them, states and gates of that moment.
 */
export type RecordedHistory = { num_tokens: number,
/**
 * `[moments, layers]`: the mean part of a token's experts that are among those of the last moment.
 */
saturation: Array<number>, };

/**
 * How sources round the capacity. `Ceil` is the adopted one.
 */
export type Rounding = "ceil" | "floor" | "round" | "mesh" | "tutel" | "fairseq" | "fairseq_eval" | "flaxformer" | "vmoe";

/**
 * What the numbers in the layers' columns mean. Names are those of SGLang's `expert_ids_schema` where they say the same.
 */
export type RouteSchema = {
/**
 * Transformer blocks of the model, those without experts included.
 */
num_layers: number | null,
/**
 * Experts a token asks, at most; absent where the rule sets no number.
 */
top_k: number | null,
/**
 * The numbers of the MoE layers in the model, ascending; absent where unknown, and then layers are counted among
 * the MoE layers from 0.
 */
moe_layer_ids: Array<LayerIdx> | null, num_experts: ExpertCount, id_space: IdSpace, rank_order: RankOrder, weight_kind: WeightKind, };

/**
 * Which experts a token asks, and with what weight. `moe-router` checks a spec once and then runs it.
 */
export type RouterSpec = { "rule": "dense" } | { "rule": "switch" } | { "rule": "top_k", k: number, weighting: Weighting, } | { "rule": "gshard", second: SecondExpert, normalise: Normalise, } | { "rule": "noisy", k: number, std: number, } | { "rule": "logit_norm", k: number, lambda: number, } | { "rule": "dense_to_sparse", temperature: number, threshold: number, } | { "rule": "deepseek", k: number, groups: number, kept: number, scale: number, } | { "rule": "deepseek_v2", k: number, groups: number, kept: number, scale: number, } | { "rule": "top_p", threshold: number, } | { "rule": "relu" } | { "rule": "top_any", threshold: number, } | { "rule": "null_experts", k: number, nulls: number, } | { "rule": "hierarchical", groups: number, k_groups: number, k_within: number, } | { "rule": "prototypes", count: number, } | { "rule": "per_sequence", k: number, } | { "rule": "hash", seed: number, } | { "rule": "balanced_hash" } | { "rule": "random" } | { "rule": "expert_choice", average: number, } | { "rule": "strictly_balanced", k: number, } | { "rule": "sinkhorn", k: number, choice: SinkhornChoice, } | { "rule": "base", solver: BaseSolver, } | { "rule": "no_token_left_behind", tries: number, };

/**
 * All decisions of one layer in one step.
 *
 * Routers keep the records in order and name only tokens and experts that exist; files are checked for it, see
 * [`RoutingError`].
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
export type RoutingGroup = "this_text" | "decode_step" | "batch";

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
export type RunRequest = { run: RunId, prompt: string,
/**
 * The prompts of the other texts that decode in step with this one, up to seven, where the group is `batch`.
 */
companions?: Array<string>,
/**
 * Of each text.
 */
max_new_tokens: number, sampling: Sampling, routing: RoutingSpec, group: RoutingGroup,
/**
 * Seeds sampling and random routing alike. The companions of a batch have the seeds that follow it, in their order.
 */
seed: number,
/**
 * What is changed inside the model, in this order.
 */
interventions?: Array<Intervention>, };

/**
 * The rung of the fallback ladder that an engine stands on.
 */
export type Rung = "webgpu" | "cpu";

/**
 * How the next token is taken from the model's expectation.
 */
export type Sampling = { "method": "greedy" } | { "method": "random", temperature: number, top_k: number, top_p: number, };

/**
 * `[rows, experts]`, row-major. `None` where the number is not recorded or the rule had ruled the expert out (a masked
 * group: −∞).
 *
 * The constructor is the only place where the shape can be wrong; deserialising goes through it too.
 */
export type Scores = { num_experts: number, values: Array<number | null>, };

/**
 * When GShard's second expert is asked at all. `g2` is the second weight after normalisation over the pair, `u` a
 * uniform draw in [0, 1).
 */
export type SecondExpert = { "when": "always" } | { "when": "never" } | { "when": "threshold", threshold: number, } | { "when": "random", threshold: number, } | { "when": "proportional" } | { "when": "sampled" };

/**
 * A step as it crosses a boundary: whole, or without the rows that are as in the step before.
 */
export type SentStep = StepDelta | StepTrace;

/**
 * What a step computed of one sequence.
 */
export type SequenceStep = {
/**
 * Position of its first token here: 0 where the whole text is one group, the number of cached tokens otherwise.
 */
first_position: number,
/**
 * How many of the tokens here are the prompt's; absent where the request tells, or nobody knows.
 */
num_prompt_tokens?: number,
/**
 * What the model expects after its last token, and what was taken; absent where nobody recorded it.
 */
next?: NextToken,
/**
 * What was sampled last and never fed, so that no layer has rows of it.
 */
unrouted_tail?: TracedToken, };

/**
 * How much a shared expert counts.
 */
export type SharedGate = "none" | "sigmoid";

/**
 * What S-BASE selects by.
 */
export type SinkhornChoice = "balanced" | "greedy";

/**
 * The order in which requests are offered slots.
 */
export type SlotOrder = "token_major" | "rank_major";

/**
 * A kept state of a training, counted from 0 within its run.
 */
export type SnapshotId = number;

/**
 * Where numbers on the screen come from. Shown on every panel.
 */
export type Source = "live_gpu" | "live_cpu" | "recorded" | "imported";

/**
 * The rows of a step from `input_start_position` on. The routing group is the whole step nevertheless: `num_tokens`,
 * `capacity` and the token indices of `routing`, and the indices of `rows`, count from the step's first token.
 */
export type StepDelta = {
/**
 * Position in the text of the first row here. The rows from `first_position` to here are as in the step before, for
 * the tokens and for every layer.
 */
input_start_position: number, run: RunId,
/**
 * Steps of a run count from 0.
 */
step: number,
/**
 * Which pass of the source this was, where it counts otherwise.
 */
pass?: PassId,
/**
 * The tokens of this pass: sequence after sequence, each in order of position. None where the source has loads only.
 */
tokens: Array<TracedToken>,
/**
 * One entry per MoE layer, in order.
 */
layers: Array<LayerTrace>, } & (SequenceStep | { sequences: Array<BatchEntry>, });

/**
 * One forward pass: which tokens went in, how every layer routed them, and what came out. Its tokens are one routing
 * group where capacity is shared at all.
 */
export type StepTrace = { run: RunId,
/**
 * Steps of a run count from 0.
 */
step: number,
/**
 * Which pass of the source this was, where it counts otherwise.
 */
pass?: PassId,
/**
 * The tokens of this pass: sequence after sequence, each in order of position. None where the source has loads only.
 */
tokens: Array<TracedToken>,
/**
 * One entry per MoE layer, in order.
 */
layers: Array<LayerTrace>, } & (SequenceStep | { sequences: Array<BatchEntry>, });

/**
 * What a step learned from a teacher: how far from it the student was before, on the step's batch.
 */
export type Taught = { "layers": Array<number> } | { "divergence": number };

/**
 * An entry of the tokenizer's vocabulary.
 */
export type TokenId = number;

/**
 * A whole recorded run.
 */
export type TraceFile = { header: TraceHeader, steps: Array<StepTrace>, };

/**
 * First line of a trace file: everything needed to say where the steps come from and, of a run of ours, to run them again.
 */
export type TraceHeader = { schema_version: number, origin: Origin, routes: RouteSchema,
/**
 * A model of ours; of others `origin` has the name.
 */
model: ModelInfo | null,
/**
 * What was asked for. Another program's request is not known.
 */
request: RunRequest | null,
/**
 * Parts that the source does not have. Readers name them, and never draw them as zero.
 */
absent?: Array<Part>,
/**
 * What to say to those who look at it: a hole that was found, a guess that was made. Whole sentences.
 */
notes?: Array<string>, };

/**
 * A token as it went into a step: `bytes` of a text or a `patch` of an image. What nobody recorded is absent.
 * docs/TRACE_FORMAT.md says what each field means.
 */
export type TracedToken = { id?: TokenId, bytes?: Array<number>, patch?: Patch, loss: number | null, accepted?: boolean, };

/**
 * From the page to a trainer. A training is a run and has a run's number; a fork is a run of its own.
 */
export type TrainCommand = { "start": TrainRequest } | { "pause": RunId } | { "step": { run: RunId, num_steps: number, } } | { "resume": RunId } | { "change": { run: RunId, setting: TrainSetting, } } | { "snapshot": RunId } | { "rewind": { run: RunId, snapshot: SnapshotId, } } | { "fork": { run: RunId, snapshot: SnapshotId, into: RunId, } } | { "open": { run: RunId, saved: Bytes, } } | { "upcycle": { run: RunId, experts: NewExperts, } } | { "merge": RunId } | { "adapt": Adaptation } | { "distil": { run: RunId, plan: Distilling, } } | { "stop": RunId };

/**
 * From a trainer to the page.
 */
export type TrainEvent = { "started": { run: RunId, num_parameters: number, floor: number, } } | { "step": TrainStep } | { "snapshot": TrainSnapshot } | { "opened": { run: RunId, request: TrainRequest, next_step: number, } } | { "saved": { run: RunId, next_step: number, saved: Bytes, } } | { "reshaped": { run: RunId, request: TrainRequest, num_parameters: number,
/**
 * Held-out nats per token before and after, where experts were made or merged; `None` after going back to a state
 * with another number.
 */
held_out: [number, number] | null, } } | { "distilled": { run: RunId, held_out: [number, number, number], } } | { "forgotten": { run: RunId, snapshot: SnapshotId, } } | { "changed": { run: RunId, setting: TrainSetting, } } | { "resting": { run: RunId, next_step: number, } } | { "stopped": { run: RunId, } } | { "adapting": AdaptStart } | { "adapt_step": AdaptStep } | { "adapted": AdaptLook } | { "failed": { run: RunId, error: UserError, fatal: boolean, } } | { "lost": UserError };

/**
 * A training, completely described: the same request gives the same losses.
 */
export type TrainRequest = { run: RunId, model: TrainedSizes, rule: TrainedRule, text: TrainingText,
/**
 * Sequences per step; each is one routing group.
 */
num_sequences: number,
/**
 * Tokens per sequence.
 */
num_tokens: number, learning_rate: number,
/**
 * Auxiliary losses with their coefficients; none twice.
 */
losses: Array<WeightedLoss>,
/**
 * By how much a step moves the selection bias (arXiv:2408.15664, algorithm 1); 0 for none.
 */
bias_step: number,
/**
 * Of initial weights, batches and draws.
 */
seed: number,
/**
 * The text whose routes every snapshot tells.
 */
probe: string,
/**
 * Steps between two snapshots that the trainer makes of itself; 0 for none.
 */
snapshot_every: number,
/**
 * Of a model with one expert: when it becomes many.
 */
upcycling: Upcycling | null, };

/**
 * What may change while a training runs.
 */
export type TrainSetting = { "learning_rate": number } | { "losses": Array<WeightedLoss> } | { "bias_step": number } | { "rule": TrainedRule } | { "num_sequences": number } | { "probe": string };

/**
 * A kept state, and what it is like.
 */
export type TrainSnapshot = { run: RunId, snapshot: SnapshotId,
/**
 * The steps done before it.
 */
num_steps: number,
/**
 * Loss of held-out text, nats per token: mean over the kinds of text.
 */
held_out: number, held_out_bits_per_byte: number,
/**
 * The same by kind of text, and whom each kind asks.
 */
kinds: Array<KindOfText>,
/**
 * The probe's tokens, each as bytes.
 */
probe_tokens: Array<Array<number>>,
/**
 * The probe routed: one entry per MoE layer.
 */
probe_layers: Array<LayerTrace>,
/**
 * The gates, one per MoE layer.
 */
gates: Array<GateWeights>,
/**
 * How far each layer's experts are from each other, `[layers]`: root mean square distance from their mean, as a part
 * of their root mean square; 0 where all are the same.
 */
spread: Array<number>,
/**
 * A text that the model writes now.
 */
sample: string, };

/**
 * One optimiser step. Losses in nats per token, over the batch.
 */
export type TrainStep = { run: RunId,
/**
 * Counted from 0; after a rewind they are counted again from there.
 */
step: number,
/**
 * Of the next token, without the auxiliary losses.
 */
next_token: number,
/**
 * Before their coefficients, mean over groups and layers, in the order of the request.
 */
auxiliary: Array<number>, gradient_norm: number, tokens_per_second: number,
/**
 * One per MoE layer.
 */
layers: Array<TrainedLayer>,
/**
 * Where experts are distilled: how far from them the step found the model.
 */
taught: Taught | null, };

/**
 * How a layer routed the batch of a step. Every list is `[experts]`.
 */
export type TrainedLayer = { layer: LayerIdx,
/**
 * Requests.
 */
demand: Array<number>,
/**
 * Requests served.
 */
load: Array<number>,
/**
 * Tokens that lost all their experts.
 */
num_dropped_tokens: number,
/**
 * Mean entropy of the gate, in nats; absent where the rule reads no gate.
 */
gate_entropy: number | null,
/**
 * Of a rule that mixes, which makes no requests: each expert's share of what tokens are given, of the slots' outputs
 * or of the merged weights.
 */
shares: Array<number> | null, };

/**
 * The rule of a layer: of requests, or of shares.
 */
export type TrainedRule = { "assigns": RoutingSpec } | { "mixes": MixerSpec };

/**
 * Sizes of a model that is trained from nothing.
 */
export type TrainedSizes = { d_model: number, num_layers: number, num_heads: number, num_experts: number, d_expert: number,
/**
 * Beside the routed ones; every token asks them.
 */
num_shared_experts: number, };

/**
 * What is learned.
 */
export type TrainingText = { "kind": "shipped", texts: Array<KindText>, } | { "kind": "own", text: string, } | { "kind": "grammars", count: number, } | { "kind": "modular_sums", moduli: Array<number>, };

/**
 * A dense feed-forward that becomes experts while it learns.
 */
export type Upcycling = { after_steps: number, experts: NewExperts, };

/**
 * What every error becomes where it meets a person: three sentences, and what a machine said, for those who ask.
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
try_this: string,
/**
 * The raw text behind it, in the words of browser, device or panic: `RuntimeError: unreachable`. No sentence for
 * a reader; shown where it is asked for.
 */
details?: string, };

/**
 * What the weights of `choices` are. Those of a `routing` are always applied ones.
 */
export type WeightKind = "applied" | "raw";

/**
 * A loss and what it is multiplied with; or, in an event, what it came to before that.
 */
export type WeightedLoss = { loss: AuxiliaryLoss, coefficient: number, };

/**
 * What the weights of the chosen experts are.
 */
export type Weighting = { "form": "raw" } | { "form": "norm" } | { "form": "softmax_after" } | { "form": "p_norm", p: number, };
