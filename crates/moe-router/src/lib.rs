//! Pure Mixture-of-Experts routing: gate logits in, decisions out.
//!
//! A router is a function: it sees a [`RouterInput`] and returns a [`Routing`](moe_trace::Routing). There are no
//! tensors, devices, files, clocks or hidden random sources here; whoever wants chance passes draws in as data, which
//! [`draws`] makes from a seed.
//!
//! # A guided tour, with numbers
//!
//! A Mixture-of-Experts layer has `E` small networks, the *experts*, and a *gate* that says for every token how well each
//! would suit it. Nearly all steps look at one small [example]: six tokens, four experts, hidden states of three numbers.
//! What the code asserts is run as a test: whole numbers exactly, others to 1e-4 unless it says otherwise.
//!
//! ## The gate
//!
//! The gate is a matrix. A token's hidden state times this matrix gives its *gate logits*, one per expert, and softmax
//! turns the row into probabilities. Token 0 is fairly sure of expert 0:
//!
//! ```
//! use moe_router::{example::{self, assert_close}, gate::softmax};
//!
//! let logits = example::hidden().times(&example::gate_weights()); // [6, 3] · [3, 4] = [6, 4]
//! assert_close(logits.row(0), &[1.85, 0.65, -1.05, -0.60]); // 1.0 · 1.5 + 0.5 · 0.3 + 0.5 · 0.4 = 1.85, and so on
//! assert_close(&softmax(logits.row(0)), &[0.6932, 0.2088, 0.0381, 0.0598]);
//! ```
//!
//! ## Choosing
//!
//! Running all experts would cost `E` times as much as one. So a token asks only the best `k`, and their outputs are added
//! up, each times its weight. Top-2 with normalised weights divides both probabilities by their sum, 0.6932 / 0.9020 =
//! 0.7685, and token 0 leaves the layer as 0.7685 · FFN₀(x) + 0.2315 · FFN₁(x).
//!
//! ```
//! use moe_router::{Router, RouterInput, example, rules};
//! use moe_trace::{Overflow, RoutingSpec};
//!
//! let gate_logits = example::gate_logits();
//! let spec = RoutingSpec { router: rules::parse_router("top_k:2")?, overflow: Overflow::Dropless };
//! let router = Router::new(spec, 4)?; // checked once …
//! let routing = router.route(&RouterInput::new(&gate_logits)); // … and cannot fail from here on
//! let [first, second] = routing.of_token(0) else { panic!("two requests") };
//! assert_eq!((first.expert.index(), second.expert.index()), (0, 1));
//! example::assert_close(&[first.weight, second.weight], &[0.7685, 0.2315]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`token_choice::top_k`] has the other ways to weigh, and its neighbours the other ways to choose.
//!
//! ## Noise
//!
//! A gate that is trained on its own choices never finds out what the others would have been worth. Noisy gates add a draw
//! per token and expert before they choose, in training only. Here expert 1 draws -2.5, and expert 3 +0.5 and takes its
//! place: 0.65 - 2.5 = -1.85 is less than -0.60 + 0.5 = -0.10. Chance is data: without draws there is no noise.
//!
//! ```
//! # use moe_router::{Router, RouterInput, example, rules};
//! # use moe_trace::{GateLogits, Overflow, RoutingSpec};
//! let noisy = rules::parse_router("noisy:k=2,std=1")?;
//! let router = Router::new(RoutingSpec { router: noisy, overflow: Overflow::Dropless }, 4)?;
//! let token_0 = GateLogits::new(4, vec![1.85, 0.65, -1.05, -0.60])?;
//! let experts_and_weights = |input: &RouterInput| -> (Vec<u32>, Vec<f32>) {
//!     router.route(input).of_token(0).iter().map(|request| (request.expert.0, request.weight)).unzip()
//! };
//! let (experts, weights) = experts_and_weights(&RouterInput::new(&token_0)); // at inference
//! assert_eq!(experts, [0, 1]);
//! example::assert_close(&weights, &[0.7685, 0.2315]);
//! let (experts, weights) = experts_and_weights(&RouterInput::new(&token_0).with_normals(&[0.0, -2.5, 0.1, 0.5]));
//! assert_eq!(experts, [0, 3]);
//! example::assert_close(&weights, &[0.8754, 0.1246]); // softmax(1.85, -0.10)
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## Overflow
//!
//! On parallel hardware every expert gets a buffer of fixed size: `C = ceil(factor · k · T / E)` slots for a group of `T`
//! tokens. If more tokens ask, the last ones are turned away, and only the residual connection carries them on. Switch asks
//! one expert per token: ceil(1 · 1 · 6 / 4) = 2 slots, but four tokens want expert 0.
//!
//! ```
//! # use moe_router::{Router, RouterInput, example, metrics, rules};
//! # use moe_trace::{CapacitySpec, Overflow, RoutingSpec};
//! let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
//! let router = Router::new(RoutingSpec { router: rules::parse_router("switch")?, overflow }, 4)?;
//! let routing = router.route(&RouterInput::new(&example::gate_logits()));
//! assert_eq!(routing.capacity, Some(2));
//! assert_eq!(metrics::demand(&routing), [4, 0, 1, 1]);
//! assert_eq!(metrics::load(&routing), [2, 0, 1, 1]);
//! assert!(routing.is_dropped(2) && routing.is_dropped(4)); // token 4 is the most confident of all, but it came last
//! example::assert_close(&[metrics::fraction_dropped(&routing)], &[2.0 / 6.0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`capacity`] rounds, [`dispatch`] says who is first at the door, [`overflow`] what else can be done.
//!
//! ## Balance
//!
//! A gate left alone sends everything to a few experts. A balance loss multiplies the share of tokens an expert gets with
//! the mean probability it is given. Here the shares are 4/6, 0, 1/6, 1/6, the mean probabilities 0.4504, 0.2102, 0.1540,
//! 0.1854, and 4 · (4/6 · 0.4504 + 1/6 · 0.1540 + 1/6 · 0.1854) = 1.4273, where perfect balance would give 1. The gradient
//! goes through the probabilities: expert 0's must fall.
//!
//! ```
//! # use moe_router::{Router, RouterInput, example, gate_probs, losses, rules};
//! # use moe_trace::{Overflow, RoutingSpec};
//! # let gate_logits = example::gate_logits();
//! # let spec = RoutingSpec { router: rules::parse_router("switch")?, overflow: Overflow::Dropless };
//! # let routing = Router::new(spec, 4)?.route(&RouterInput::new(&gate_logits));
//! example::assert_close(&[losses::switch(&gate_probs(&gate_logits), &routing)], &[1.4273]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A second loss keeps the logits small, because large ones round badly and freeze the choice: the z-loss is the mean
//! of the squared log-sum-exp. With 10 added to every logit softmax says the same, and the z-loss 145.56 instead of
//! 4.2775.
//!
//! ```
//! # use moe_router::{example, losses};
//! # use moe_trace::GateLogits;
//! let gate_logits = example::gate_logits();
//! example::assert_close(&[losses::z_loss(&gate_logits, &[])], &[4.2775]); // (2.2164² + 2.1641² + …) / 6
//! let raised = GateLogits::new(4, gate_logits.values().iter().map(|z| z + 10.0).collect())?;
//! assert!((losses::z_loss(&raised, &[]) - 145.56).abs() < 0.01);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## Sigmoid scores and a bias: balance without a loss
//!
//! A loss for balance pulls the gate away from what the text needs. DeepSeek-V3 scores each expert by itself,
//! sigmoid(z), and adds a bias when it selects, which no gradient touches: after every step an expert with too many
//! tokens gets a little less, one with too few a little more. Weights never see the bias. Six steps of 0.01, top-1: the
//! crowd of four before expert 0 is two.
//!
//! ```
//! # use moe_router::{Router, RouterInput, example, losses, metrics, rules};
//! # use moe_trace::{Overflow, RoutingSpec};
//! let gate_logits = example::gate_logits();
//! let deepseek = rules::parse_router("deepseek:1")?;
//! let router = Router::new(RoutingSpec { router: deepseek, overflow: Overflow::Dropless }, 4)?;
//! let demand = |bias: &[f32]| metrics::demand(&router.route(&RouterInput::new(&gate_logits).with_bias(bias)));
//! let mut bias = vec![0.0; 4];
//! assert_eq!(demand(&bias), [4, 0, 1, 1]);
//! for _ in 0..6 {
//!     bias = losses::bias_update(&bias, &demand(&bias), 0.01);
//! }
//! example::assert_close(&bias, &[-0.06, 0.06, 0.06, 0.06]);
//! assert_eq!(demand(&bias), [2, 1, 1, 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ## The future
//!
//! Balance is perfect where experts choose their tokens instead. But a language model must not look at later tokens, and
//! such rules do: the same first token gets another answer when the last one changes.
//!
//! ```
//! # use moe_router::{Router, RouterInput, rules};
//! # use moe_trace::{GateLogits, RoutingSpec};
//! let expert_choice = rules::parse_router("expert_choice:1")?;
//! let router = Router::new(RoutingSpec { router: expert_choice, ..RoutingSpec::default() }, 2)?;
//! let expert_of_first = |last: [f32; 2]| {
//!     let gate_logits = GateLogits::new(2, [[1.0, 0.0], last].concat()).expect("two rows of two");
//!     router.route(&RouterInput::new(&gate_logits)).of_token(0)[0].expert.index()
//! };
//! assert_eq!(expert_of_first([0.0, 1.0]), 0); // expert 0 takes the first token, expert 1 the last
//! assert_eq!(expert_of_first([9.0, 0.0]), 1); // expert 0 prefers the last; the first is left to expert 1
//! assert!(rules::looks_ahead(router.spec()) && !rules::find("expert_choice").expect("a rule").is_causal());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`group_choice`] has these rules, each with what stands in for it when a text is generated.
//!
//! ## Mixing instead of choosing
//!
//! A choice has no gradient, a blend has. In Soft MoE a slot is no token but a mean of all of them, weighted by softmax
//! over the *tokens*, and a token receives a mean of all slots, weighted by softmax over the *slots*. The first slot is
//! made of 28 % of token 0, 20 % of token 1, and so on: of the future, too. A [`Mixer`] is to such rules what a router
//! is to others.
//!
//! ```
//! # use moe_router::{Mixer, RouterInput, example, rules};
//! # use moe_trace::Mixing;
//! let gate_logits = example::gate_logits(); // a column per slot: one slot per expert
//! let mixing = Mixer::new(rules::parse_mixer("soft_moe:1")?, 4)?.mix(&RouterInput::new(&gate_logits))?;
//! let Mixing::Slots { dispatch, combine, .. } = mixing else { panic!("slots") };
//! let first_slot: Vec<f32> = dispatch.iter().step_by(4).copied().collect(); // the first column
//! example::assert_close(&first_slot, &[0.2793, 0.1968, 0.1853, 0.0151, 0.2683, 0.0553]);
//! example::assert_close(&combine[..4], &[0.6932, 0.2088, 0.0381, 0.0598]); // what token 0 receives of each slot
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! SMEAR blends the experts: their *weights* are averaged into one expert for a whole sequence, by the softmax of its mean
//! logits. One expert runs, and every expert learns.
//!
//! ```
//! # use moe_router::{Mixer, RouterInput, example, rules};
//! # use moe_trace::Mixing;
//! # let gate_logits = example::gate_logits();
//! let input = RouterInput::new(&gate_logits).with_sequence_ids(&[0, 0, 0, 1, 1, 1]); // two sequences of three tokens
//! let mixer = Mixer::new(rules::parse_mixer("smear")?, 4)?;
//! let Mixing::Merged { shares, .. } = mixer.mix(&input)? else { panic!("merged experts") };
//! example::assert_close(&shares[..4], &[0.6075, 0.2176, 0.0715, 0.1035]); // θ = 0.6075 θ₀ + 0.2176 θ₁ + …
//! example::assert_close(&shares[4..], &[0.2998, 0.2251, 0.2221, 0.2530]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reading order
//!
//! From the [example] and the gate ([`gate`]) to who asks whom (tokens choose for themselves in [`token_choice`], are
//! assigned together in [`group_choice`], are blended in [`mixing`]), to who is let in ([`capacity`], [`dispatch`],
//! [`overflow`]), to one checked entry for all of it ([`input`], [`router`], [`mixer`]), to what it amounts to
//! ([`losses`], and [`auxiliary`] which lists them with formula and paper; [`metrics`], [`measure`]). [`rules`] is the list of all rules, and [`rule`] what each declares: names,
//! papers, texts, whether it looks ahead.
//!
//! One file is one rule: its idea, formula and paper, what differs between training and inference, whether it is
//! causal, and its numbers; then its declaration, which everything else reads, and its code. A family whose members
//! differ by a setting shares a file: DeepSeek's gates of V2 and V3 ([`token_choice::deepseek`]), Shazeer's noise and
//! V-MoE's ([`token_choice::noisy_top_k`]), random and balanced tables ([`token_choice::hash`]), BASE's auction and its
//! greedy choice ([`group_choice::auction`]), and LoRA experts under four names with MoV beside them
//! ([`mixing::peft`]).

#![deny(missing_docs)]

pub mod example;

pub mod gate;
pub mod matrix;
pub mod request;

pub mod group_choice;
pub mod mixing;
pub mod token_choice;

pub mod capacity;
pub mod dispatch;
pub mod overflow;

pub mod decimal;
pub mod input;
mod limits;
pub mod mixer;
mod padding;
pub mod router;
pub mod spec_error;

pub mod rule;
pub mod rules;

pub mod auxiliary;
pub mod losses;
pub mod measure;
pub mod metrics;

pub mod draws;

pub use gate::gate_probs;
pub use input::{InputError, RouterInput};
pub use mixer::Mixer;
pub use request::Request;
pub use router::Router;
pub use spec_error::SpecError;
