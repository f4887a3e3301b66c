//! A method tried on what a run recorded: the gate logits of one layer and group, routed or mixed by `moe-router`. Instant,
//! and exact for that layer only.

use moe_router::gate::sorted;
use moe_router::rule::Besides;
use moe_router::rules::Insight;
use moe_router::{Mixer, RouterInput, rules};
use moe_trace::{Assignment, GateLogits, MixerSpec, Mixing, RoutingSpec};

use crate::run::scene::{Group, Scene, SceneLayer, Totals};
use crate::run::what_if;
use crate::settings::method::Method;
use crate::words::tongue;

/// What came of it, for the group of one token in one layer.
#[derive(Debug, Clone)]
pub struct Tried {
    pub method: Method,
    pub outcome: Outcome,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    /// Tokens are sent to experts.
    Routed(Routed),
    /// Tokens or experts are blended.
    Mixed { group: Group, mixing: Mixing },
    /// It cannot be said: why, in a sentence.
    Unknown(String),
}

#[derive(Debug, Clone)]
pub struct Routed {
    /// The layer under this method.
    pub layer: SceneLayer,
    pub comparison: Comparison,
    /// What it goes by besides a token's own row of the gate.
    pub insight: Option<Insight>,
}

/// The group as the run routed it, and under the method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Tokens that other experts serve, as positions in the text.
    pub moved: Vec<usize>,
    pub num_tokens: usize,
    pub before: Totals,
    pub after: Totals,
    /// Tokens that no expert serves, and the most experts that serve one.
    pub unserved: usize,
    pub most_served: usize,
}

impl Tried {
    /// `routing`: the rule and slots that the controls ask for; the method takes the place of the rule.
    pub fn of(scene: &Scene, layer: usize, token: usize, method: Method, routing: &RoutingSpec) -> Option<Tried> {
        let group = scene.groups[scene.tokens.get(token)?.group];
        let before = scene.layers.get(layer)?;
        let outcome = match method {
            _ if !before.gate_is_recorded => {
                Outcome::Unknown(say!("This run was recorded without its gate logits.").into_owned())
            }
            Method::Assigns(router) => {
                let routing = RoutingSpec { router, ..*routing };
                match what_if::layer(scene, layer, token, &routing, scene.recording.request.group) {
                    Some(after) => {
                        let comparison = Comparison::of(before, &after, &group);
                        let insight =
                            gate_logits(scene, layer, group).and_then(|logits| rules::insight(&router, logits));
                        Outcome::Routed(Routed { layer: after, comparison, insight })
                    }
                    None => Outcome::Unknown(why_unknown(&routing, before.num_experts)),
                }
            }
            Method::Mixes(mixer) => mixed(scene, layer, group, mixer),
            Method::Told(_) => {
                let rule = method.rule();
                Outcome::Unknown(say!(
                    "Gate logits are not enough: it needs {needs}.",
                    needs = tongue::translated(rule.needs)
                ))
            }
        };
        Some(Tried { method, outcome })
    }
}

fn gate_logits(scene: &Scene, layer: usize, group: Group) -> Option<&GateLogits> {
    scene.recording.steps[group.step].layers.get(layer)?.gate_logits.as_ref()
}

fn mixed(scene: &Scene, layer: usize, group: Group, mixer: MixerSpec) -> Outcome {
    let Some(gate_logits) = gate_logits(scene, layer, group) else {
        return Outcome::Unknown(say!("This layer has no gate.").into_owned());
    };
    let mixer = match Mixer::new(mixer, gate_logits.num_experts()) {
        Ok(mixer) => mixer,
        Err(error) => return Outcome::Unknown(error.to_string()),
    };
    match mixer.mix(&RouterInput::new(gate_logits)) {
        Ok(mixing) => Outcome::Mixed { group, mixing },
        Err(error) => Outcome::Unknown(error.to_string()),
    }
}

/// Why recorded gate logits do not say what this rule would have done.
fn why_unknown(routing: &RoutingSpec, num_experts: usize) -> String {
    let facts = rules::facts(&routing.router);
    if let Err(error) = moe_router::Router::new(*routing, num_experts) {
        return error.to_string();
    }
    match facts.besides {
        Besides::TokenFrequencies => {
            say!("It needs to know how often each token occurs in the training text.").into_owned()
        }
        Besides::LearnedBias => {
            say!("It chooses with a bias that was learned, and that no trace of this run holds.").into_owned()
        }
        _ => say!("It draws by chance, and the draws are the run's own: run with it to see them.").into_owned(),
    }
}

impl Comparison {
    fn of(before: &SceneLayer, after: &SceneLayer, group: &Group) -> Comparison {
        let tokens = group.first..group.first + group.num_tokens;
        let served = |layer: &SceneLayer, token: usize| {
            let kept = layer.of_token(token).iter().filter(|request| request.fate.is_kept());
            let experts: Vec<u32> = kept.map(|request| request.expert.0).collect();
            let order = sorted(experts.len(), &|a, b| experts[a].cmp(&experts[b]));
            order.into_iter().map(|at| experts[at]).collect::<Vec<u32>>()
        };
        let moved = tokens.clone().filter(|&token| served(before, token) != served(after, token)).collect();
        let within = |layer: &SceneLayer| {
            let is_of_group = |request: &&Assignment| tokens.contains(&(request.token as usize));
            let mut only = layer.clone();
            only.routing.assignments = layer.routing.assignments.iter().filter(is_of_group).copied().collect();
            only.totals()
        };
        let num_served = tokens.clone().map(|token| served(after, token).len());
        Comparison {
            moved,
            num_tokens: group.num_tokens,
            unserved: num_served.clone().filter(|&number| number == 0).count(),
            most_served: num_served.max().unwrap_or_default(),
            before: within(before),
            after: within(after),
        }
    }
}
