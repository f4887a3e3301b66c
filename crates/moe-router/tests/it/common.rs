//! Any rule on any input: texts made from the list of rules, so that a new rule is tested as soon as it is listed.

use std::ops::Range;

use moe_router::rule::{Besides, Facts, Kind, Rule, Value};
use moe_router::{RouterInput, rules};
use moe_trace::{GateLogits, TokenId};
use proptest::prelude::*;

/// All rules of a kind that have a text, and an example of it.
pub fn with_text(kind: Kind) -> impl Iterator<Item = (&'static Rule, &'static str)> {
    rules::all().filter(move |rule| rule.kind() == kind).filter_map(|rule| Some((rule, rule.example()?)))
}

/// Texts of one of the rules of a kind, with small numbers, mostly sensible; optional arguments now and then left out.
pub fn text_of(kind: Kind) -> impl Strategy<Value = String> {
    let rules: Vec<&'static Rule> = with_text(kind).map(|(rule, _)| rule).collect();
    let form = (prop::sample::select(rules), prop::collection::vec((0_usize..1000, any::<bool>()), 4));
    form.prop_map(|(rule, choices)| {
        let arguments = rule.arguments().unwrap_or_default().iter().zip(choices);
        let arguments = arguments.filter(|(argument, (_, keep))| *keep || !argument.optional);
        let arguments = arguments.map(|(argument, (choice, _))| match argument.value {
            Value::Count => {
                let counts = [1, 2, 1, 2, 1, 2, 3, 4, 0, 9];
                format!("{}={}", argument.key, counts[choice % counts.len()])
            }
            Value::Number => {
                let numbers = ["1", "0.25", "2", "0.7", "1.5", "0.5", "1e-30", "3e38", "0", "-1"];
                format!("{}={}", argument.key, numbers[choice % numbers.len()])
            }
            Value::Word(words) => format!("{}={}", argument.key, words[choice % words.len()]),
        });
        format!("{}:{}", rule.name, arguments.collect::<Vec<String>>().join(","))
    })
}

/// Texts of rules that assign. Those whose optional arguments exclude each other are no specs.
pub fn text_of_router() -> impl Strategy<Value = String> {
    text_of(Kind::Assigns).prop_filter("a complete form", |text| rules::parse_router(text).is_ok())
}

/// What a router may see, owned. Lists are whole or empty.
#[derive(Debug, Clone)]
pub struct Seen {
    pub gate_logits: GateLogits,
    pub draws: Vec<f32>,
    pub noise_std: Vec<f32>,
    pub token_ids: Vec<TokenId>,
    pub frequencies: Vec<f64>,
    pub sequence_ids: Vec<u32>,
    pub of_experts: Vec<f32>,
    /// What a gate over one, two or more groups said, if there is one.
    pub group_logits: Option<GateLogits>,
    pub is_padding: Vec<bool>,
}

impl Seen {
    /// The same for a rule: a gate over other groups than its own is left out.
    pub fn fitting(mut self, facts: Facts) -> Seen {
        let fits = |logits: &GateLogits| match facts.besides {
            Besides::GroupLogits { groups } => logits.num_experts() == groups as usize,
            _ => true,
        };
        self.group_logits = self.group_logits.filter(fits);
        self
    }

    pub fn input(&self) -> RouterInput<'_> {
        let input = RouterInput::new(&self.gate_logits)
            .with_uniforms(&self.draws)
            .with_gumbels(&self.draws)
            .with_normals(&self.draws)
            .with_lots(&self.draws)
            .with_noise_std(&self.noise_std)
            .with_token_ids(&self.token_ids)
            .with_token_frequencies(&self.frequencies)
            .with_sequence_ids(&self.sequence_ids)
            .with_bias(&self.of_experts)
            .with_thresholds(&self.of_experts)
            .with_padding(&self.is_padding);
        self.group_logits.as_ref().map_or(input, |logits| input.with_group_logits(logits))
    }
}

/// Logits of `num_tokens` tokens: on a grid of 1/4, so that ties abound, all equal, or of enormous or tiny size.
pub fn logits(num_tokens: usize, num_experts: usize) -> impl Strategy<Value = GateLogits> {
    let scale = prop::sample::select(vec![0.25_f32, 0.25, 0.25, 0.0, 1.0, 1.0e37, f32::MAX / 12.0, 1.0e-38, 1.0e-45]);
    let values = prop::collection::vec(-12_i8..=12, num_tokens * num_experts);
    (values, scale).prop_map(move |(values, scale)| {
        let values = values.into_iter().map(|value| f32::from(value) * scale).collect();
        GateLogits::new(num_experts, values).expect("a full matrix of finite numbers")
    })
}

/// Everything a router may see of so many tokens, and of one or more experts.
pub fn seen(num_tokens: Range<usize>) -> impl Strategy<Value = Seen> {
    let num_experts = prop::sample::select(vec![1_usize, 2, 3, 4, 4, 6, 8, 8]);
    (num_tokens, num_experts).prop_flat_map(|(num_tokens, num_experts)| {
        fn or_none<T: std::fmt::Debug + Clone + 'static>(
            values: impl Strategy<Value = Vec<T>> + 'static,
        ) -> BoxedStrategy<Vec<T>> {
            prop_oneof![2 => values, 1 => Just(Vec::new())].boxed()
        }
        let size = num_tokens * num_experts;
        let num_groups = prop::sample::select(vec![1_usize, 2, 2, 2, 3, 4]);
        let group_logits = num_groups.prop_flat_map(move |num_groups| logits(num_tokens, num_groups));
        (
            logits(num_tokens, num_experts),
            or_none(prop::collection::vec(0.0_f32..1.0, size)),
            or_none(prop::collection::vec(0.0_f32..2.0, size)),
            or_none(prop::collection::vec(any::<u32>().prop_map(TokenId), num_tokens)),
            or_none(prop::collection::vec(0.0_f64..9.0, 20)),
            or_none(prop::collection::vec(0_u32..3, num_tokens)),
            or_none(prop::collection::vec(-1.0_f32..1.0, num_experts)),
            prop::option::of(group_logits),
            or_none(prop::collection::vec(prop::bool::weighted(0.3), num_tokens)),
        )
            .prop_map(
                |(
                    gate_logits,
                    draws,
                    noise_std,
                    token_ids,
                    frequencies,
                    sequence_ids,
                    of_experts,
                    group_logits,
                    is_padding,
                )| {
                    Seen {
                        gate_logits,
                        draws,
                        noise_std,
                        token_ids,
                        frequencies,
                        sequence_ids,
                        of_experts,
                        group_logits,
                        is_padding,
                    }
                },
            )
    })
}
