//! One decision taken apart: what the gate said to a token in a layer, who was asked, who stood before it, and what its
//! experts weigh. All of it is what the run recorded; nothing is routed again here.

use moe_router::gate::log_sum_exp;
use moe_router::rule::GateReads;
use moe_router::rules;
use moe_trace::{Assignment, ExpertIdx, Intervention, Normalise, RouterSpec, Weighting};

use crate::run::scene::{Group, Scene, SceneLayer};
use crate::words::numbers::digits;

/// Sums of more numbers than these are written as a sum.
const MAX_WRITTEN: usize = 3;

/// A token in a layer.
pub struct Decision<'a> {
    pub scene: &'a Scene,
    pub layer: &'a SceneLayer,
    pub token: usize,
    /// The tokens it shares slots with.
    pub group: Group,
    pub requests: &'a [Assignment],
    /// `[experts]`, as the rule saw them; `None` where they were not recorded.
    pub logits: Option<&'a [f32]>,
    /// `[requests]`: Euclidean length of what each expert put out, where it is known.
    pub output_norms: Vec<Option<f32>>,
    /// The same of the shared experts together.
    pub shared_norm: Option<f32>,
}

/// A formula in symbols, and the same with this decision's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    pub symbols: String,
    pub numbers: String,
}

/// How a request stood at its expert's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub expert: ExpertIdx,
    /// Slots that others had before it: its own number, or all there are where it found none.
    pub taken: usize,
    /// Requests of the group to this expert.
    pub demand: usize,
}

impl<'a> Decision<'a> {
    /// Of a token in the layer with this index.
    pub fn of(scene: &'a Scene, layer_idx: usize, token: usize) -> Option<Decision<'a>> {
        let layer = scene.layers.get(layer_idx)?;
        let group = scene.groups[scene.tokens.get(token)?.group];
        let traced = scene.recording.steps.get(group.step)?.layers.get(layer_idx)?;
        let row = token - group.first;
        let logits =
            traced.gate_logits.as_ref().filter(|logits| row < logits.num_tokens()).map(|logits| logits.row(row));
        let requests = layer.of_token(token);
        let norms = traced.output_norms.as_ref();
        let first = traced
            .routing()
            .map_or(0, |routing| routing.assignments.partition_point(|assignment| (assignment.token as usize) < row));
        let norm_of = |at: usize| *norms?.experts.get(first + at)?;
        let output_norms = (0..requests.len()).map(norm_of).collect();
        let shared_norm = norms.and_then(|norms| norms.shared.as_ref()?.get(row).copied());
        Some(Decision { scene, layer, token, group, requests, logits, output_norms, shared_norm })
    }

    /// Is anything known of what its experts put out?
    pub fn has_output(&self) -> bool {
        self.shared_norm.is_some() || self.output_norms.iter().any(Option::is_some)
    }

    /// The request that is followed: that to the selected expert, else the first choice.
    pub fn followed(&self, selected: Option<usize>) -> Option<&'a Assignment> {
        let to_selected = self.requests.iter().find(|request| Some(request.expert.index()) == selected);
        to_selected.or(self.requests.first())
    }

    /// Is what the rule saw another thing than what the gate gave? Two experts that were swapped leave the gate as it is.
    pub fn has_bent_gate(&self) -> bool {
        self.changes().any(|change| !matches!(change, Intervention::Swap { .. }))
    }

    /// What a reader changed about this decision, in the order in which it acts.
    pub fn changes(&self) -> impl Iterator<Item = &'a Intervention> + '_ {
        let is_here = |change: &&Intervention| match **change {
            Intervention::Mute { layer, .. } | Intervention::Swap { layer, .. } | Intervention::Bias { layer, .. } => {
                layer == self.layer.layer
            }
            Intervention::Force { layer, position, .. } => layer == self.layer.layer && position as usize == self.token,
            Intervention::RouterTemperature { layer, .. } | Intervention::GateNoise { layer, .. } => {
                layer.is_none_or(|layer| layer == self.layer.layer)
            }
        };
        self.scene.recording.request.interventions.iter().filter(is_here)
    }

    /// How a logit becomes the number that the rule reads off the gate.
    pub fn score(&self, expert: usize) -> Option<Formula> {
        let (logits, value) = (self.logits?, self.layer.values_of(self.token).get(expert)?);
        let (logit, value) = (digits((*logits.get(expert)?).into()), digits((*value).into()));
        Some(match self.layer.reading().0 {
            GateReads::Nothing => return None,
            GateReads::Sigmoid => Formula {
                symbols: format!("s_{expert} = {{1}}/{{1 + exp(−z_{expert})}}"),
                numbers: format!("{{1}}/{{1 + exp(−({logit}))}} = {value}"),
            },
            _ => {
                let sum = log_sum_exp(logits);
                Formula {
                    symbols: format!("p_{expert} = {{exp z_{expert}}}/{{Σ_j exp z_j}}"),
                    // Sums that no one would read are left as logarithms.
                    numbers: match sum.abs() < 20.0 {
                        true => format!("{{exp({logit})}}/{{{}}} = {value}", digits(sum.exp())),
                        false => format!("exp({logit} − ({})) = {value}", digits(sum)),
                    },
                }
            }
        })
    }

    /// The best logit of those that were asked and of those that were not: between them lies the choice of a rule that takes
    /// the largest ones.
    pub fn margin(&self) -> Option<(usize, usize)> {
        let logits = self.logits?;
        let is_asked = |expert: usize| self.requests.iter().any(|request| request.expert.index() == expert);
        let least = (0..logits.len())
            .filter(|&expert| is_asked(expert))
            .reduce(|a, b| if logits[b] < logits[a] { b } else { a });
        let most = (0..logits.len())
            .filter(|&expert| !is_asked(expert))
            .reduce(|a, b| if logits[b] > logits[a] { b } else { a });
        least.zip(most)
    }

    /// Does the rule ask those with the largest logits, and nothing else?
    pub fn takes_the_largest(&self) -> bool {
        matches!(self.layer.rule, RouterSpec::TopK { .. } | RouterSpec::Switch)
    }

    pub fn place(&self, request: &Assignment) -> Place {
        let lane = self.layer.lane(&self.group, request.expert);
        let taken = request.fate.slot().map_or(lane.kept.len(), |slot| slot as usize);
        Place { expert: request.expert, taken, demand: lane.demand() }
    }

    /// How the weight of a request follows from the scores of all, where the rule's formula can be written out and gives
    /// what was recorded.
    pub fn weighing(&self, request: &Assignment) -> Option<Formula> {
        let one = request.expert;
        let all = || self.requests.iter();
        let (raw, weight) = (digits(request.weight_raw.into()), digits(request.weight.into()));
        let sum: f64 = all().map(|request| f64::from(request.weight_raw)).sum();
        let sum_of = |letter: char| {
            if self.requests.len() > MAX_WRITTEN {
                return (format!("Σ_j {letter}_j"), digits(sum));
            }
            let symbols: Vec<String> = all().map(|request| format!("{letter}_{}", request.expert)).collect();
            let numbers: Vec<String> = all().map(|request| digits(request.weight_raw.into())).collect();
            (symbols.join(" + "), numbers.join(" + "))
        };
        let share = f64::from(request.weight_raw) / sum;
        let normed = |letter: char, scale: f32| {
            let (symbols, numbers) = sum_of(letter);
            let (times, by) = if scale == 1.0 {
                (String::new(), String::new())
            } else {
                (" · scale".to_owned(), format!(" · {scale}"))
            };
            let formula = Formula {
                symbols: format!("w_{one} = {{{letter}_{one}}}/{{{symbols}}}{times}"),
                numbers: format!("{{{raw}}}/{{{numbers}}}{by} = {weight}"),
            };
            (formula, share * f64::from(scale))
        };
        let plain = |letter: char| {
            let formula =
                Formula { symbols: format!("w_{one} = {letter}_{one}"), numbers: format!("{raw} = {weight}") };
            (formula, f64::from(request.weight_raw))
        };
        let (formula, expected) = match self.layer.rule {
            RouterSpec::Switch | RouterSpec::Dense => plain('p'),
            RouterSpec::TopK { weighting: Weighting::Raw, .. } => plain('p'),
            RouterSpec::TopK { weighting: Weighting::Norm | Weighting::SoftmaxAfter, .. } => normed('p', 1.0),
            RouterSpec::Gshard { normalise: Normalise::BeforeDrop, .. } if self.requests.len() == 2 => normed('p', 1.0),
            RouterSpec::Deepseek { scale, .. } => normed('s', scale),
            RouterSpec::DeepseekV2 { scale, .. } => (
                Formula {
                    symbols: format!("w_{one} = p_{one} · scale"),
                    numbers: format!("{raw} · {scale} = {weight}"),
                },
                f64::from(request.weight_raw) * f64::from(scale),
            ),
            _ => return None,
        };
        ((expected - f64::from(request.weight)).abs() < 1e-4).then_some(formula)
    }

    /// `y = 0.69 · FFN_5(x)`, `+ 0 · FFN_2(x)`: a request that was not served adds exactly nothing.
    pub fn combination(&self) -> Vec<String> {
        let of_request = |(number, request): (usize, &Assignment)| {
            let weight = if request.fate.is_kept() { digits(request.weight.into()) } else { "0".to_owned() };
            let before = if number == 0 { "y =" } else { "+" };
            format!("{before} {weight} · FFN_{}(x)", self.computing(request.expert))
        };
        match self.requests.is_empty() {
            true => vec!["y = 0".to_owned()],
            false => self.requests.iter().enumerate().map(of_request).collect(),
        }
    }

    /// The expert that computes what was decided for this one.
    fn computing(&self, decided: ExpertIdx) -> ExpertIdx {
        self.changes().fold(decided, |expert, change| match *change {
            Intervention::Swap { experts: [one, other], .. } if expert == one => other,
            Intervention::Swap { experts: [one, other], .. } if expert == other => one,
            _ => expert,
        })
    }

    /// The rule that decided.
    pub fn rule(&self) -> &'static moe_router::rule::Rule {
        rules::of(&self.layer.rule)
    }
}
