//! The same text under several overflow policies: what is run for it, and what came of it.

use std::borrow::Cow;

use moe_router::rules;
use moe_trace::{CapacitySpec, ExpertIdx, Overflow, Priority, RouterSpec, RoutingSpec, RunRequest, SlotOrder};

use crate::run::compare::{self, PassageLoss};
use crate::run::fixed_text;
use crate::run::recording::Recording;
use crate::run::scene::{Scene, SceneLayer, Totals};
use crate::run::shared::Shared;

/// Who is let in when more tokens ask an expert than it has slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabPolicy {
    /// In order of the text, each token with all its choices.
    FirstCome,
    /// All first choices, then all second ones (GShard).
    FirstChoices,
    /// The token with the largest gate probability first (V-MoE).
    MostConfident,
    /// The requests with the largest weight, whatever their rank (Megatron).
    LargestWeight,
    /// In a shuffled order.
    ByLot,
    /// Everybody.
    Dropless,
}

/// The capacity factors of the curves.
pub const FACTORS: [f32; 7] = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0];

impl LabPolicy {
    const ALL: [LabPolicy; 6] = [
        LabPolicy::FirstCome,
        LabPolicy::FirstChoices,
        LabPolicy::MostConfident,
        LabPolicy::LargestWeight,
        LabPolicy::ByLot,
        LabPolicy::Dropless,
    ];

    pub fn name(self) -> Cow<'static, str> {
        match self {
            LabPolicy::FirstCome => say!("first come, first served"),
            LabPolicy::FirstChoices => say!("first choices first"),
            LabPolicy::MostConfident => say!("most confident first"),
            LabPolicy::LargestWeight => say!("largest weight first"),
            LabPolicy::ByLot => say!("by lot"),
            LabPolicy::Dropless => say!("dropless"),
        }
    }

    /// Who gets a slot, in a sentence.
    pub fn explained(self) -> Cow<'static, str> {
        match self {
            LabPolicy::FirstCome => {
                say!("Slots are given out in order of the text, to each token for all its choices.")
            }
            LabPolicy::FirstChoices => {
                say!("All first choices get their slots before any second choice does (GShard).")
            }
            LabPolicy::MostConfident => say!("The token with the largest gate probability is served first (V-MoE)."),
            LabPolicy::LargestWeight => say!("A full expert keeps the requests with the largest weights (Megatron)."),
            LabPolicy::ByLot => say!("Tokens are served in an order drawn by the seed."),
            LabPolicy::Dropless => say!("Every request is served, whatever the load."),
        }
    }

    /// Those that make a difference under this rule; none where no expert is ever full.
    pub fn of_rule(router: &RouterSpec, num_experts: usize) -> Vec<LabPolicy> {
        let facts = rules::facts(router);
        let makes_a_difference = |policy: LabPolicy| match policy {
            LabPolicy::FirstCome | LabPolicy::Dropless => true,
            LabPolicy::FirstChoices => !facts.serves_by_position() && facts.k(num_experts) > 1,
            _ => !facts.serves_by_position(),
        };
        match facts.may_overflow() {
            true => LabPolicy::ALL.into_iter().filter(|&policy| makes_a_difference(policy)).collect(),
            false => Vec::new(),
        }
    }

    /// The policy that a run had; `None` for one that is not among these.
    pub fn of(overflow: &Overflow) -> Option<LabPolicy> {
        let Overflow::Drop(slots) = overflow else { return Some(LabPolicy::Dropless) };
        match (slots.priority, slots.order) {
            (Priority::Position, SlotOrder::TokenMajor) => Some(LabPolicy::FirstCome),
            (Priority::Position, SlotOrder::RankMajor) => Some(LabPolicy::FirstChoices),
            (Priority::BprMax, SlotOrder::RankMajor) => Some(LabPolicy::MostConfident),
            (Priority::Probability, _) => Some(LabPolicy::LargestWeight),
            (Priority::Random, SlotOrder::TokenMajor) => Some(LabPolicy::ByLot),
            _ => None,
        }
    }

    /// This policy with slots counted as in `like`, but for the factor.
    fn overflow(self, factor: f32, like: &Overflow) -> Overflow {
        let slots = match like {
            Overflow::Drop(slots) => *slots,
            Overflow::Dropless => CapacitySpec::default(),
        };
        let (priority, order) = match self {
            LabPolicy::FirstCome => (Priority::Position, SlotOrder::TokenMajor),
            LabPolicy::FirstChoices => (Priority::Position, SlotOrder::RankMajor),
            LabPolicy::MostConfident => (Priority::BprMax, SlotOrder::RankMajor),
            LabPolicy::LargestWeight => (Priority::Probability, SlotOrder::TokenMajor),
            LabPolicy::ByLot => (Priority::Random, SlotOrder::TokenMajor),
            LabPolicy::Dropless => return Overflow::Dropless,
        };
        Overflow::Drop(CapacitySpec { factor, priority, order, ..slots })
    }

    pub fn routing(self, factor: f32, like: &RoutingSpec) -> RoutingSpec {
        RoutingSpec { router: like.router, overflow: self.overflow(factor, &like.overflow) }
    }
}

/// Everything to be run for the text of this run: each policy at `factor` first, then along the curves.
pub fn requests(run: &Recording, factor: f32) -> Vec<RunRequest> {
    let Some(text) = fixed_text::text(run) else { return Vec::new() };
    let policies = LabPolicy::of_rule(&run.request.routing.router, run.model.num_experts as usize);
    let factors = std::iter::once(factor).chain(FACTORS);
    let all = factors.flat_map(|factor| policies.iter().map(move |policy| (*policy, factor)));
    all.map(|(policy, factor)| fixed_text::request(run, &text, policy.routing(factor, &run.request.routing))).collect()
}

/// One text under all policies, as far as it was computed.
#[derive(Debug)]
pub struct PolicyLab {
    /// The capacity factor of all rows.
    pub factor: f32,
    pub rows: Vec<Row>,
    /// Of the text as far as the run has come, in tokens.
    pub text_len: usize,
    /// Tokens of the results are those of the run on the screen, as far as both go: one cursor is meant for all.
    pub num_shared_tokens: usize,
}

#[derive(Debug)]
pub struct Row {
    pub policy: LabPolicy,
    /// Is it the policy of the run on the screen?
    pub is_of_run: bool,
    /// May a later token take an earlier one's slot?
    pub looks_ahead: bool,
    pub outcome: Option<Outcome>,
    /// By capacity factor, from the smallest.
    pub curve: Vec<Point>,
}

/// What became of the text under a policy.
#[derive(Debug)]
pub struct Outcome {
    pub scene: Shared<Scene>,
    pub measures: Measures,
    /// Has the token another outcome than under the reference, `[layers][tokens]`? Nowhere while that is to come.
    pub differs: Vec<Vec<bool>>,
    /// Tokens with another outcome in any layer, once the reference is there.
    pub num_different: Option<usize>,
}

/// A run of the text in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measures {
    pub loss: Option<PassageLoss>,
    pub totals: Totals,
    /// Requests of the busiest expert over the mean, averaged over the layers.
    pub imbalance: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub factor: f32,
    pub measures: Measures,
}

impl Measures {
    pub fn of(scene: &Scene) -> Measures {
        Measures { loss: compare::passage_loss(&scene.tokens), totals: scene.totals(), imbalance: scene.imbalance() }
    }

    /// Requests that were turned away, of all; `None` where none was made.
    pub fn lost_share(&self) -> Option<f64> {
        let Totals { requests, lost, .. } = self.totals;
        (requests > 0).then(|| lost as f64 / requests as f64)
    }
}

impl PolicyLab {
    /// `on_screen`: the run whose text it is, at its last step; `result`: the finished run of a request.
    pub fn of(
        on_screen: &Shared<Recording>,
        factor: f32,
        result: impl Fn(&RunRequest) -> Option<Shared<Recording>>,
    ) -> Option<PolicyLab> {
        let text = fixed_text::text(on_screen)?;
        let routing = &on_screen.request.routing;
        let own = LabPolicy::of(&routing.overflow);
        let scene = |policy: LabPolicy, factor: f32| {
            let run = result(&fixed_text::request(on_screen, &text, policy.routing(factor, routing)))?;
            Scene::of(&run, 0).map(Shared::new)
        };
        let policies = LabPolicy::of_rule(&routing.router, on_screen.model.num_experts as usize);
        let scenes: Vec<_> = policies.iter().map(|&policy| scene(policy, factor)).collect();
        // What the others are compared with: the policy of the run on the screen, or else the first.
        let reference = policies.iter().position(|&policy| Some(policy) == own).unwrap_or_default();
        let reference = scenes.get(reference).cloned().flatten();
        let mut factors = FACTORS.to_vec();
        let at = factors.partition_point(|known| *known < factor);
        if factors.get(at) != Some(&factor) {
            factors.insert(at, factor);
        }

        let rows = policies.iter().zip(&scenes).map(|(&policy, of_row)| {
            let measured = |&factor: &f32| {
                let scene = if policy == LabPolicy::Dropless { of_row.clone() } else { scene(policy, factor) };
                Some(Point { factor, measures: scene.as_deref().map(Measures::of)? })
            };
            Row {
                policy,
                is_of_run: Some(policy) == own,
                looks_ahead: rules::looks_ahead(&policy.routing(factor, routing)),
                outcome: of_row.as_ref().map(|scene| Outcome::of(scene, reference.as_deref())),
                curve: factors.iter().filter_map(measured).collect(),
            }
        });
        let rows: Vec<Row> = rows.collect();
        let num_shared_tokens =
            scenes.iter().flatten().next().map_or(0, |scene| fixed_text::num_shared(on_screen, scene));
        let text_len = on_screen.text_len(on_screen.steps.len().saturating_sub(1));
        Some(PolicyLab { factor, rows, text_len, num_shared_tokens })
    }

    /// Rows that were computed at the factor of all.
    pub fn outcomes(&self) -> impl Iterator<Item = (LabPolicy, &Outcome)> {
        self.rows.iter().filter_map(|row| Some((row.policy, row.outcome.as_ref()?)))
    }
}

impl Outcome {
    fn of(scene: &Shared<Scene>, reference: Option<&Scene>) -> Outcome {
        let tokens = 0..scene.tokens.len();
        let of_layer = |(at, layer): (usize, &SceneLayer)| {
            let other = reference.and_then(|reference| reference.layers.get(at));
            let differs = |token| other.is_some_and(|other| outcome(layer, token) != outcome(other, token));
            tokens.clone().map(differs).collect()
        };
        let differs: Vec<Vec<bool>> = scene.layers.iter().enumerate().map(of_layer).collect();
        let num_different = tokens.clone().filter(|&token| differs.iter().any(|layer| layer[token])).count();
        let num_different = reference.map(|_| num_different);
        Outcome { scene: scene.clone(), measures: Measures::of(scene), differs, num_different }
    }
}

/// Whom a token asked, and who served it.
fn outcome(layer: &SceneLayer, token: usize) -> Vec<(ExpertIdx, bool)> {
    layer.of_token(token).iter().map(|request| (request.expert, request.fate.is_kept())).collect()
}
