//! What a drop costs: the same text once as it was routed, and once with every request served.

use moe_router::gate::sorted;
use moe_trace::{Fate, Overflow, RoutingSpec, RunRequest};

use crate::run::compare::{self, PassageLoss};
use crate::run::fixed_text;
use crate::run::recording::Recording;
use crate::run::scene::{Scene, Totals};
use crate::run::shared::Shared;

/// The text as it was routed, and the same with every request served.
pub fn requests(run: &Recording) -> Vec<RunRequest> {
    let Some(text) = fixed_text::text(run) else { return Vec::new() };
    both(run).map(|routing| fixed_text::request(run, &text, routing)).into()
}

fn both(run: &Recording) -> [RoutingSpec; 2] {
    let routing = run.request.routing;
    [routing, RoutingSpec { overflow: Overflow::Dropless, ..routing }]
}

/// One text with and without its losses.
#[derive(Debug)]
pub struct Drops {
    pub with: Shared<Scene>,
    pub without: Shared<Scene>,
    pub totals: Totals,
    pub loss_with: PassageLoss,
    pub loss_without: PassageLoss,
    pub tokens: Vec<TokenCost>,
    /// Tokens that were turned away at least once, and all others.
    pub turned_away: Cost,
    pub others: Cost,
    /// The token that was turned away first. Before it nothing can differ where no token looks ahead.
    pub first_lost: Option<usize>,
    /// Tokens are those of the run on the screen, as far as both go: its cursor is meant for these too.
    pub num_shared_tokens: usize,
}

/// What happened to a token, and what the losses up to it did to its loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenCost {
    /// Requests turned away, in all layers.
    pub num_lost: usize,
    /// Nats more than with every request served; negative where the losses helped.
    pub nats: Option<f64>,
}

/// Nats of some tokens together.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    pub nats: f64,
    pub num_tokens: usize,
}

impl Cost {
    fn add(&mut self, nats: f64) {
        self.nats += nats;
        self.num_tokens += 1;
    }

    pub fn per_token(&self) -> Option<f64> {
        (self.num_tokens > 0).then(|| self.nats / self.num_tokens as f64)
    }
}

impl Drops {
    /// `result`: the finished run of a request.
    pub fn of(
        on_screen: &Shared<Recording>,
        result: impl Fn(&RunRequest) -> Option<Shared<Recording>>,
    ) -> Option<Drops> {
        let text = fixed_text::text(on_screen)?;
        let scene = |routing: RoutingSpec| {
            Scene::of(&result(&fixed_text::request(on_screen, &text, routing))?, 0).map(Shared::new)
        };
        let [with, without] = both(on_screen);
        Drops::between(scene(with)?, scene(without)?, on_screen)
    }

    fn between(with: Shared<Scene>, without: Shared<Scene>, on_screen: &Recording) -> Option<Drops> {
        let cost = |token: usize| {
            let num_lost =
                with.layers.iter().flat_map(|layer| layer.of_token(token)).filter(|request| request.fate == Fate::Lost);
            let losses = with.tokens[token].loss.zip(without.tokens.get(token).and_then(|other| other.loss));
            TokenCost {
                num_lost: num_lost.count(),
                nats: losses.map(|(with, without)| f64::from(with) - f64::from(without)),
            }
        };
        let tokens: Vec<TokenCost> = (0..with.tokens.len()).map(cost).collect();
        let (mut turned_away, mut others) = (Cost::default(), Cost::default());
        for token in &tokens {
            if let Some(nats) = token.nats {
                if token.num_lost > 0 { turned_away.add(nats) } else { others.add(nats) }
            }
        }
        Some(Drops {
            totals: with.totals(),
            loss_with: compare::passage_loss(&with.tokens)?,
            loss_without: compare::passage_loss(&without.tokens)?,
            turned_away,
            others,
            first_lost: tokens.iter().position(|token| token.num_lost > 0),
            num_shared_tokens: fixed_text::num_shared(on_screen, &with),
            tokens,
            with,
            without,
        })
    }

    /// Of the whole passage, in nats.
    pub fn total(&self) -> f64 {
        self.turned_away.nats + self.others.nats
    }

    /// The tokens that the losses cost most, the costliest first.
    pub fn costliest(&self, number: usize) -> Vec<(usize, f64)> {
        let costs = self.tokens.iter().enumerate().filter_map(|(token, cost)| Some((token, cost.nats?)));
        let costs: Vec<(usize, f64)> = costs.filter(|&(_, nats)| nats > 0.0).collect();
        let order = sorted(costs.len(), &|one, other| costs[other].1.total_cmp(&costs[one].1));
        order.into_iter().take(number).map(|at| costs[at]).collect()
    }
}
