//! What the quantities are that a lesson's conditions compare: all read off the routing that stands on the screen.

use moe_router::metrics;
use moe_trace::{Fate, Overflow, RoutingSpec};

use crate::run::scene::{Scene, SceneLayer};
use crate::settings::lesson::{Measure, Predicted, Quantity, Seen};
use crate::settings::routing_choice;
use crate::words::numbers;

/// A moment of the page.
pub struct Observed<'a> {
    pub scene: &'a Scene,
    /// The selected layer under another routing than the run's, where that is what the page shows.
    pub what_if: Option<&'a SceneLayer>,
    /// The routing of what is shown.
    pub routing: RoutingSpec,
    pub layer: usize,
    pub token: usize,
    pub expert: Option<usize>,
}

/// The bars that a reader is to guess.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// One for each expert.
    pub values: Vec<f32>,
    /// The largest that one can have.
    pub most: f32,
}

impl Observed<'_> {
    fn layer(&self) -> Option<&SceneLayer> {
        self.what_if.or(self.scene.layers.get(self.layer))
    }

    /// `None` where there is no such thing: no expert selected, no gate recorded, no slots that could run out; or where
    /// it is not known, as what other layers would do under another routing.
    pub fn see(&self, quantity: Quantity) -> Option<Seen> {
        let layer = self.layer()?;
        let routing = &layer.routing;
        let at = |counts: Vec<u32>| counts.get(quantity.index).map(|&count| f64::from(count));
        let count = |count: usize| Some(count as f64);
        // The layers before and after see other inputs under another routing.
        let in_all = || self.what_if.is_none().then(|| self.scene.totals());
        let group = self.scene.recording.request.group;
        let number = match quantity.measure {
            Measure::Step => count(self.scene.step),
            Measure::Layer => count(self.layer),
            Measure::Token => count(self.token),
            Measure::Expert => self.expert.map(|expert| expert as f64),
            Measure::Tokens => count(self.scene.tokens.len()),
            Measure::Lost => count(layer.totals().lost),
            Measure::Dropped => count(layer.totals().dropped_tokens),
            Measure::AllLost => in_all().map(|totals| totals.lost as f64),
            Measure::AllDropped => in_all().map(|totals| totals.dropped_tokens as f64),
            Measure::Demand => at(metrics::demand(routing)),
            Measure::Load => at(metrics::load(routing)),
            Measure::Busiest => by_demand(layer, |one, best| one > best).map(|(expert, _)| expert as f64),
            Measure::Idlest => by_demand(layer, |one, best| one < best).map(|(expert, _)| expert as f64),
            Measure::MaxDemand => by_demand(layer, |one, best| one > best).map(|(_, demand)| f64::from(demand)),
            Measure::MinDemand => by_demand(layer, |one, best| one < best).map(|(_, demand)| f64::from(demand)),
            Measure::Capacity => routing.capacity.map(f64::from),
            Measure::CapacityFactor => match self.routing.overflow {
                Overflow::Drop(slots) => Some(f64::from(slots.factor)),
                Overflow::Dropless => None,
            },
            Measure::Chosen => {
                let asked =
                    layer.of_token(self.token).iter().find(|request| request.rank as usize + 1 == quantity.index);
                asked.map(|request| request.expert.index() as f64)
            }
            Measure::Served => self.requests(|fate| fate.is_kept()),
            Measure::TurnedAway => self.requests(|fate| fate == Fate::Lost),
            Measure::Gate => layer.values_of(self.token).get(quantity.index).map(|&value| f64::from(value)),
            Measure::MeanLoss => self.mean_loss(),
            Measure::Policy => {
                return routing_choice::policy(&self.routing).map(|policy| Seen::Word(policy.to_string()));
            }
            Measure::Group => return Some(Seen::Word(group.to_string())),
            Measure::Model => return Some(Seen::Word(self.scene.recording.model.name.clone())),
        };
        number.map(Seen::Number)
    }

    fn requests(&self, is_meant: impl Fn(Fate) -> bool) -> Option<f64> {
        let requests = self.layer()?.of_token(self.token);
        Some(requests.iter().filter(|request| is_meant(request.fate)).count() as f64)
    }

    /// Of the run itself: another routing of one layer says nothing of it.
    fn mean_loss(&self) -> Option<f64> {
        let losses: Vec<f32> = self.scene.tokens.iter().filter_map(|token| token.loss).collect();
        let sum: f64 = losses.iter().map(|&loss| f64::from(loss)).sum();
        (self.what_if.is_none() && !losses.is_empty()).then(|| sum / losses.len() as f64)
    }

    /// The bars of a prediction; `None` where the run has nothing of the kind.
    pub fn bars(&self, predicted: Predicted) -> Option<Bars> {
        let layer = self.layer()?;
        let counts = |counts: Vec<u32>| counts.into_iter().map(|count| count as f32).collect::<Vec<_>>();
        // A token asks an expert once at most, but where the experts choose.
        let num_tokens = self.scene.tokens.len() as f32;
        let bars = match predicted {
            Predicted::Demand => Bars { values: counts(metrics::demand(&layer.routing)), most: num_tokens },
            Predicted::Load => Bars { values: counts(metrics::load(&layer.routing)), most: num_tokens },
            Predicted::Gate => Bars { values: layer.values_of(self.token).to_vec(), most: 1.0 },
        };
        (!bars.values.is_empty() && bars.most > 0.0).then_some(bars)
    }
}

impl Bars {
    /// How far a guess is from them, in a sentence or two.
    pub fn gap(&self, predicted: Predicted, guess: &[f32]) -> String {
        let say = |value: f32| said(predicted, value);
        let guessed = |expert: usize| guess.get(expert).copied().unwrap_or_default();
        let gaps = self.values.iter().enumerate().map(|(expert, value)| (value - guessed(expert)).abs());
        let gaps: Vec<f32> = gaps.collect();
        let furthest = (0..gaps.len()).fold(0, |best, expert| if gaps[expert] > gaps[best] { expert } else { best });
        if gaps[furthest] == 0.0 {
            return say!("Every bar is as you drew it.").into_owned();
        }
        let mean = match predicted {
            Predicted::Gate => say(gaps.iter().sum::<f32>() / gaps.len() as f32),
            Predicted::Demand | Predicted::Load => format!("{:.1}", gaps.iter().sum::<f32>() / gaps.len() as f32),
        };
        let (drawn, real) = (say(guessed(furthest)), say(self.values[furthest]));
        say!(
            "Your bars are off by {mean} on average. Furthest is expert {furthest}: you drew {drawn}, it is {real}.",
            mean,
            furthest,
            drawn,
            real
        )
    }
}

/// A bar's value as it is written beside it.
pub fn said(predicted: Predicted, value: f32) -> String {
    match predicted {
        Predicted::Gate => numbers::percent(value),
        Predicted::Demand | Predicted::Load => format!("{value:.0}"),
    }
}

/// The first expert than which none `is_better`, and its requests.
fn by_demand(layer: &SceneLayer, is_better: impl Fn(u32, u32) -> bool) -> Option<(usize, u32)> {
    let demand = metrics::demand(&layer.routing);
    let first = demand.first().map(|&demand| (0, demand))?;
    Some(demand.into_iter().enumerate().fold(first, |best, one| if is_better(one.1, best.1) { one } else { best }))
}
