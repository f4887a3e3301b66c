//! A text that goes on, is edited, or is routed otherwise is computed only as far as it may have changed, and every number
//! of it is, bit for bit, what running the whole text gives. So are decode steps that are run in one pass.

use burn::tensor::Device;
use moe_model::forms::gate::GateConfig;
use moe_model::{
    Architecture, Changes, Extent, Fused, ModelConfig, Router, RoutingInputs, StepInput, StepOutput, Weights,
    checkpoint,
};
use moe_router::draws::SplitMix64;
use moe_router::rules;
use moe_trace::{
    CapacitySpec, ExpertIdx, Intervention, LayerIdx, Overflow, Policy, Priority, Rounding, RouterSpec, RoutingSpec,
    SlotOrder,
};

/// Every number that a step brings, as bits; decisions too.
fn bits(output: &StepOutput) -> Vec<Vec<u32>> {
    let of = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
    let mut all = vec![of(&output.logits), of(&output.losses)];
    for layer in &output.layers {
        let routing = layer.routing().expect("the model's own router decided");
        all.push(vec![layer.layer.0, routing.num_tokens, routing.num_experts, routing.capacity.unwrap_or(u32::MAX)]);
        all.extend((0..routing.num_tokens as usize).map(|token| row(output, layer.layer.index(), token)));
    }
    all
}

/// What a layer says of a token.
fn row(output: &StepOutput, layer: usize, token: usize) -> Vec<u32> {
    let layer = &output.layers[layer];
    let logits = layer.gate_logits.as_ref().expect("the model has a gate");
    let requests = layer.routing().expect("the model's own router decided").of_token(token as u32);
    let logits = logits.row(token).iter().map(|logit| logit.to_bits());
    let requests = requests.iter().flat_map(|a| {
        let fate = a.fate.slot().map_or(u32::MAX - u32::from(a.fate.is_demand()), |slot| slot);
        [a.token, a.rank, a.expert.0, a.weight.to_bits(), a.weight_raw.to_bits(), fate]
    });
    logits.chain(requests).collect()
}

/// A text, how it is routed, and by which seed chance is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Text {
    ids: Vec<u32>,
    spec: RoutingSpec,
    seed: u32,
    interventions: Vec<Intervention>,
}

fn in_f32(config: &ModelConfig, seed: u64) -> Fused {
    let weights = Weights::random(config, seed, &Device::flex());
    pollster::block_on(Fused::new(config.clone(), weights, &Device::flex())).expect("weights load")
}

fn packed(config: &ModelConfig, seed: u64) -> Fused {
    let (ours, weights) = (Architecture::MoePlayground, Weights::random(config, seed, &Device::flex()));
    let file = checkpoint::to_bytes(&checkpoint::named(&weights, ours)).expect("weights can be written");
    let weights = checkpoint::packed_from_bytes(&file, ours, config).expect("what was written can be read");
    pollster::block_on(Fused::packed(config.clone(), weights)).expect("weights load")
}

/// The same weights twice: one model computes what is needed, the other everything.
struct Both {
    config: ModelConfig,
    needed: Fused,
    whole: Fused,
    /// What was run last, and its numbers.
    last: Option<(Text, StepOutput)>,
}

impl Both {
    /// In f32, or with matrices of 8 bits, by turns.
    fn new(config: ModelConfig, seed: u64) -> Both {
        let model = || if seed.is_multiple_of(2) { in_f32(&config, seed) } else { packed(&config, seed) };
        let (needed, mut whole) = (model(), model());
        whole.set_extent(Extent::Whole);
        Both { config, needed, whole, last: None }
    }

    /// Runs a text both ways. Gives how many tokens had to be computed.
    fn check(&mut self, text: &Text) -> usize {
        let config = &self.config;
        let router = Router::new(text.spec, config.num_experts).expect("a valid spec");
        let mut draws = RoutingInputs::draw(text.seed, config.num_layers, config.max_tokens, config.num_experts);
        for (draws, layer) in draws.iter_mut().zip(0..) {
            let (num_tokens, num_experts) = (config.max_tokens, config.num_experts);
            draws.changes = Changes::of_layer(&text.interventions, layer, text.seed, num_tokens, num_experts);
        }
        let [found, expected] = [&mut self.needed, &mut self.whole]
            .map(|model| pollster::block_on(model.forward_text(&text.ids, &draws, &router)).expect("a pass runs"));
        assert_eq!(bits(&found), bits(&expected), "{text:?}");
        let num_needed = match &self.last {
            Some((before, numbers)) => num_needed(before, numbers, text, &expected),
            None => text.ids.len(),
        };
        let by_chance = rules::uses_chance(&text.spec);
        let may_be_in_vain = self.last.as_ref().is_some_and(|(before, _)| {
            let is_changed = !before.interventions.is_empty() || !text.interventions.is_empty();
            is_changed || by_chance && before.seed != text.seed
        });
        if may_be_in_vain {
            // Other draws may happen to choose the same, and so may a gate that is bent; and what the kernels decided is
            // computed again where the host decides.
            assert!(found.num_computed >= num_needed, "{text:?}");
        } else {
            assert_eq!(found.num_computed, num_needed, "{text:?}");
        }
        self.last = Some((text.clone(), expected));
        found.num_computed
    }

    /// A decode step: it writes into the cache, and what was known of a text is forgotten.
    fn decode(&mut self, id: u32) {
        let router = Router::new(RoutingSpec::with_policy(1, Policy::Dropless, 1.0), self.config.num_experts);
        let step = StepInput { ids: &[id], first_position: 0, inputs: &[] };
        pollster::block_on(self.needed.forward(&step, &router.expect("a valid spec"))).expect("a pass runs");
        self.last = None;
    }
}

/// How many tokens have to be computed, by comparing all numbers of two whole runs.
fn num_needed(before: &Text, old: &StepOutput, text: &Text, new: &StepOutput) -> usize {
    let num_tokens = text.ids.len();
    let is_causal = |text: &Text| !rules::looks_ahead(&text.spec);
    if before.spec.router != text.spec.router || !is_causal(before) || !is_causal(text) {
        return num_tokens;
    }
    let is_same = |&token: &usize| {
        let layers = 0..new.layers.len();
        before.ids[token] == text.ids[token]
            && layers.into_iter().all(|layer| row(old, layer, token) == row(new, layer, token))
    };
    let num_same = (0..num_tokens.min(before.ids.len())).take_while(is_same).count();
    let logits_are_known = num_same == before.ids.len();
    // The logits after the last token are always wanted, those before another token for its loss.
    let is_last = num_same == num_tokens;
    let is_edited = !is_last && !logits_are_known && before.ids[num_same] != text.ids[num_same];
    match !logits_are_known && (is_last || is_edited) {
        true => num_tokens - num_same.saturating_sub(1),
        false => num_tokens - num_same,
    }
}

struct Chance(SplitMix64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        (self.0.u64() % limit as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn config(&mut self) -> ModelConfig {
        ModelConfig {
            num_layers: 1 + self.below(3),
            num_experts: self.one_of(&[2, 4, 4, 8]),
            d_model: self.one_of(&[16, 24]),
            d_expert: self.one_of(&[24, 33]),
            vocab_size: self.one_of(&[48, 37]),
            gate: self.one_of(&[GateConfig::EXAMPLES[0], GateConfig::EXAMPLES[0], GateConfig::EXAMPLES[1]]),
            num_shared_experts: self.one_of(&[0, 0, 1]),
            selection_bias: self.below(4) == 0,
            ..ModelConfig::tiny()
        }
    }

    fn overflow(&mut self) -> Overflow {
        let factor = self.one_of(&[0.2, 0.5, 0.75, 1.0, 1.0, 1.25, 1.25, 1.5, 2.0, 8.0]);
        let slots = CapacitySpec { factor, ..CapacitySpec::default() };
        match self.below(10) {
            0 => Overflow::Dropless,
            1 => Overflow::Drop(CapacitySpec { order: SlotOrder::RankMajor, ..slots }),
            2 => Overflow::Drop(CapacitySpec { priority: Priority::BprMax, ..slots }),
            3 => Overflow::Drop(CapacitySpec { priority: Priority::Probability, ..slots }),
            _ => Overflow::Drop(slots),
        }
    }

    /// A rule of the menu, or any other that these layers can be routed by.
    fn spec(&mut self, num_experts: usize) -> RoutingSpec {
        let every: Vec<RouterSpec> =
            rules::all().filter_map(|rule| rules::parse_router(rule.example()?).ok()).collect();
        loop {
            let router = match self.below(3) {
                0 => self.one_of(&every),
                _ => {
                    let policy = self.one_of(&[Policy::Drop, Policy::Drop, Policy::RandomSecond]);
                    RoutingSpec::with_policy(1 + self.below(2) as u32, policy, 1.0).router
                }
            };
            let spec = RoutingSpec { router, overflow: self.overflow() };
            if Router::new(spec, num_experts).is_ok() {
                return spec;
            }
        }
    }

    /// One that every rule can follow.
    fn intervention(&mut self, config: &ModelConfig) -> Intervention {
        let layer = LayerIdx(self.below(config.num_layers) as u32);
        let [expert, other] = [0, 1].map(|_| ExpertIdx(self.below(config.num_experts) as u32));
        match self.below(5) {
            0 => Intervention::Force { layer, position: self.below(config.max_tokens) as u32, expert },
            1 => Intervention::Swap { layer, experts: [expert, other] },
            2 => Intervention::RouterTemperature { layer: None, temperature: self.one_of(&[0.5, 2.0]) },
            3 => Intervention::Bias { layer, expert, bias: self.one_of(&[-1.0, 3.0]) },
            _ => Intervention::GateNoise { layer: Some(layer), deviation: 0.5 },
        }
    }

    /// What a reader may do to a run: let it go on, most of the time.
    fn change(&mut self, text: &mut Text, config: &ModelConfig) {
        match self.below(27) {
            0 => text.spec = self.spec(config.num_experts),
            1 | 2 => text.spec.overflow = self.overflow(),
            3 => text.seed = self.below(3) as u32,
            4 => {
                let at = self.below(text.ids.len());
                text.ids[at] = self.below(config.vocab_size) as u32;
            }
            5 => text.ids.truncate(1 + self.below(text.ids.len())),
            // Run the same once more.
            6 => {}
            7 => text.interventions.clear(),
            8 | 9 => text.interventions.push(self.intervention(config)),
            _ => {
                let num_new = self.one_of(&[1, 1, 1, 1, 3]);
                text.ids.extend((0..num_new).map(|_| self.below(config.vocab_size) as u32));
                if text.ids.len() > config.max_tokens {
                    text.ids.truncate(1 + self.below(4));
                }
            }
        }
    }
}

#[test]
fn what_is_needed_is_computed_and_gives_the_numbers_of_the_whole() {
    // Runs that computed nothing, one token, some, all.
    let mut runs = [0; 4];
    for seed in 0..120 {
        let mut chance = Chance(SplitMix64::new(seed));
        let config = chance.config();
        let mut both = Both::new(config.clone(), seed);
        let spec = chance.spec(config.num_experts);
        let ids = (0..1 + chance.below(9)).map(|_| chance.below(config.vocab_size) as u32).collect();
        let mut text = Text { ids, spec, seed: 0, interventions: Vec::new() };
        for _ in 0..40 {
            let (computed, all) = (both.check(&text), text.ids.len());
            runs[if computed == all { 3 } else { computed.min(2) }] += 1;
            chance.change(&mut text, &config);
            if chance.below(40) == 0 {
                both.decode(chance.below(config.vocab_size) as u32);
            }
        }
    }
    assert!(runs.iter().all(|&runs| runs > 100), "{runs:?}");
}

/// Steps of one text that grows token by token, and how many tokens each of them computes.
fn grown(policy: Policy, factor: f32) -> Vec<usize> {
    let config = ModelConfig::tiny();
    let mut both = Both::new(config.clone(), 5);
    let mut chance = Chance(SplitMix64::new(3));
    let mut text =
        Text { ids: Vec::new(), spec: RoutingSpec::with_policy(2, policy, factor), seed: 7, interventions: Vec::new() };
    let mut counts = Vec::new();
    for _ in 0..config.max_tokens {
        text.ids.push(chance.below(config.vocab_size) as u32);
        counts.push(both.check(&text));
    }
    counts
}

#[test]
fn a_step_computes_its_token_where_nobody_is_turned_away() {
    assert!(grown(Policy::Dropless, 1.0).iter().all(|&count| count == 1));
    // As many slots as there may be tokens.
    assert!(grown(Policy::Drop, 8.0).iter().all(|&count| count == 1));
}

#[test]
fn a_step_computes_its_token_while_the_capacity_stays() {
    let spec = RoutingSpec::with_policy(2, Policy::Drop, 0.75);
    let router = Router::new(spec, ModelConfig::tiny().num_experts).expect("a valid spec");
    let counts = grown(Policy::Drop, 0.75);
    let stays = |num_tokens: usize| router.capacity(num_tokens) == router.capacity(num_tokens - 1);
    let (same, grows): (Vec<usize>, Vec<usize>) = (2..=counts.len()).partition(|&num_tokens| stays(num_tokens));
    assert!(same.len() > 10 && same.iter().all(|num_tokens| counts[num_tokens - 1] == 1), "{counts:?}");
    // A step that may compute more, or this test says nothing.
    assert!(grows.iter().any(|num_tokens| (2..*num_tokens).contains(&counts[num_tokens - 1])), "{counts:?}");
}

#[test]
fn rules_that_look_ahead_compute_the_whole_text() {
    let counts = grown(Policy::Bpr, 0.75);
    assert_eq!(counts, (1..=counts.len()).collect::<Vec<usize>>());
}

#[test]
fn a_model_that_compares_runs_both_ways() {
    let config = ModelConfig::tiny();
    let mut both = Both::new(config, 5);
    both.needed.set_extent(Extent::Compared { tolerance: 0.0 });
    let mut text = Text {
        ids: vec![3, 1, 4, 1],
        spec: RoutingSpec::with_policy(2, Policy::Drop, 0.5),
        seed: 7,
        interventions: Vec::new(),
    };
    both.check(&text);
    for id in [5, 9, 2, 6, 5, 3, 5] {
        text.ids.push(id);
        both.check(&text);
    }
}

/// Several decode steps in one pass, and one after the other.
fn check_apart(config: &ModelConfig, spec: RoutingSpec, is_batched: bool) {
    check_apart_of(in_f32, config, spec, is_batched);
    check_apart_of(packed, config, spec, is_batched);
}

fn check_apart_of(model: fn(&ModelConfig, u64) -> Fused, config: &ModelConfig, spec: RoutingSpec, is_batched: bool) {
    let router = Router::new(spec, config.num_experts).expect("a valid spec");
    let ids = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
    let draws = RoutingInputs::draw(7, config.num_layers, config.max_tokens, config.num_experts);
    let inputs = |at: usize, to: usize| -> Vec<RoutingInputs> {
        draws.iter().map(|draws| draws.at(at..to, &ids[at..to])).collect()
    };
    // After three others, which are in both caches.
    let (mut apart, mut one_by_one) = (model(config, 5), model(config, 5));
    let mut expected = Vec::new();
    for at in 0..ids.len() {
        let step = StepInput { ids: &ids[at..=at], first_position: at, inputs: &inputs(at, at + 1) };
        let output = pollster::block_on(one_by_one.forward(&step, &router)).expect("a pass runs");
        expected.push(bits(&output));
        if at < 3 {
            pollster::block_on(apart.forward(&step, &router)).expect("a pass runs");
        }
    }
    let steps = StepInput { ids: &ids[3..], first_position: 3, inputs: &inputs(3, ids.len()) };
    let outputs = pollster::block_on(apart.forward_apart(&steps, &router)).expect("a pass runs");
    assert_eq!(outputs.is_some(), is_batched, "{spec:?}");
    for (output, expected) in outputs.into_iter().flatten().zip(&expected[3..]) {
        assert_eq!(bits(&output), *expected, "{spec:?}");
    }
}

#[test]
fn decode_steps_of_a_prompt_are_one_pass() {
    let config = ModelConfig { num_shared_experts: 1, ..ModelConfig::tiny() };
    for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
        for k in [1, 2, 3] {
            check_apart(&config, RoutingSpec::with_policy(k, policy, 0.75), true);
        }
    }
    // No slots at all for a token alone: everybody is turned away.
    let slots = CapacitySpec { factor: 0.1, minimum: 0, rounding: Rounding::Floor, ..CapacitySpec::default() };
    let spec = RoutingSpec { overflow: Overflow::Drop(slots), ..RoutingSpec::with_policy(2, Policy::Drop, 1.0) };
    check_apart(&config, spec, true);
    let hash = rules::parse_router("hash:42").expect("a rule that only the host knows");
    check_apart(&config, RoutingSpec { router: hash, overflow: Overflow::Dropless }, false);
    let cosine = ModelConfig { gate: GateConfig::EXAMPLES[1], ..config };
    check_apart(&cosine, RoutingSpec::with_policy(2, Policy::Drop, 0.75), false);
}
