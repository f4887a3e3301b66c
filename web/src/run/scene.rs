//! What there is to see at one step of a run: the text so far, and what every layer decided about each of its tokens.
//!
//! With the group `this text` a step carries the whole text. With `decode step` the text is gathered from all steps up
//! to this one, each of which is a routing group of its own.

use std::borrow::Cow;
use std::rc::Rc;

use moe_router::gate::sorted;
use moe_router::{metrics, rules};
use moe_trace::{
    Assignment, Candidate, ExpertIdx, Fate, GateLogits, LayerIdx, NextToken, RouterSpec, Routing, RoutingGroup, Source,
};

use crate::run::gate_reading::GateReading;
use crate::run::recording::Recording;
use crate::run::shared::Shared;
use crate::run::text::{self, Piece};
use crate::words::tongue;

#[derive(Debug)]
pub struct Scene {
    pub recording: Shared<Recording>,
    /// The step shown.
    pub step: usize,
    pub tokens: Vec<SceneToken>,
    /// Groups of tokens that share capacity, in order of the text.
    pub groups: Vec<Group>,
    pub layers: Vec<SceneLayer>,
    /// For each token the step that ended with it, which says what the model expected next.
    steps_ending_at: Vec<Option<usize>>,
    pub is_right_to_left: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SceneToken {
    pub piece: Piece,
    pub num_bytes: usize,
    /// Of the vocabulary, where it was recorded.
    pub id: Option<u32>,
    /// `-ln p` in nats.
    pub loss: Option<f32>,
    pub group: usize,
}

/// Tokens `first .. first + num_tokens` of the text, routed together in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub step: usize,
    pub first: usize,
    pub num_tokens: usize,
}

#[derive(Debug, Clone)]
pub struct SceneLayer {
    pub layer: LayerIdx,
    /// The rule that routed.
    pub rule: RouterSpec,
    /// What that rule reads off the gate, `[tokens, experts]`, row-major; empty where it reads nothing, or where the gate
    /// was not recorded.
    pub gate_values: Vec<f32>,
    /// Has every token its gate logits? A trace may come without.
    pub gate_is_recorded: bool,
    pub num_experts: usize,
    /// All assignments, `token` being the position in the text, ordered by token, then rank. The capacity is that of
    /// the only group, or `None`.
    pub routing: Routing,
    /// Slots per expert of each group; `None` where nobody is turned away.
    pub capacities: Vec<Option<u32>>,
}

/// What became of a token in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenFate {
    /// No expert was asked, by design.
    NotRouted,
    /// Every expert it asked served it.
    Served,
    /// At least one expert was full, and at least one served it.
    LostSome,
    /// Every expert it asked was full: only the residual passes.
    Dropped,
}

impl TokenFate {
    /// Of the token that made these requests.
    pub fn of(requests: &[Assignment]) -> TokenFate {
        let lost = requests.iter().any(|request| request.fate == Fate::Lost);
        let kept = requests.iter().any(|request| request.fate.is_kept());
        match (kept, lost) {
            (true, false) => TokenFate::Served,
            (true, true) => TokenFate::LostSome,
            (false, true) => TokenFate::Dropped,
            (false, false) => TokenFate::NotRouted,
        }
    }
}

/// What the model gave a token of this loss in nats.
pub fn probability(loss: f32) -> f32 {
    (-loss).exp()
}

impl Scene {
    /// The scene at a step, the last one if there are fewer; `None` before the first step.
    pub fn of(recording: &Shared<Recording>, step: usize) -> Option<Scene> {
        let step = step.min(recording.steps.len().checked_sub(1)?);
        let whole_text = recording.request.group == RoutingGroup::ThisText;
        let first_step = if whole_text { step } else { 0 };
        let parts = &recording.steps[first_step..=step];

        let mut groups: Vec<Group> = Vec::new();
        for (offset, part) in parts.iter().enumerate() {
            let first = groups.last().map_or(0, |group| group.first + group.num_tokens);
            groups.push(Group { step: first_step + offset, first, num_tokens: part.tokens.len() });
        }
        let bytes: Vec<&[u8]> = parts.iter().flat_map(|part| &part.tokens).map(|token| token.bytes()).collect();
        let mut tokens = Vec::with_capacity(bytes.len());
        let mut pieces = text::pieces(&bytes).into_iter();
        for (group, part) in parts.iter().enumerate() {
            for (token, piece) in part.tokens.iter().zip(&mut pieces) {
                tokens.push(SceneToken {
                    piece: text::of_no_text(token).unwrap_or(piece),
                    num_bytes: token.bytes().len(),
                    id: token.id.map(|id| id.0),
                    loss: token.loss,
                    group,
                });
            }
        }
        let rule = recording.request.routing.router;
        let layers = (0..parts[0].layers.len()).map(|layer| SceneLayer::gather(parts, &groups, layer, rule)).collect();
        let mut steps_ending_at = vec![None; tokens.len()];
        for earlier in 0..=step {
            if let Some(ending) =
                recording.text_len(earlier).checked_sub(1).and_then(|last| steps_ending_at.get_mut(last))
            {
                *ending = Some(earlier);
            }
        }
        let whole: String = tokens.iter().map(|token: &SceneToken| &*token.piece.text).collect();
        let is_right_to_left = text::is_right_to_left(&whole);
        Some(Scene { recording: recording.clone(), step, tokens, groups, layers, steps_ending_at, is_right_to_left })
    }

    pub fn source(&self) -> Source {
        self.recording.source
    }

    pub fn num_experts(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.num_experts)
    }

    /// What the model expected after this token, where a step ended with it; and which step that was.
    pub fn next_after(&self, token: usize) -> Option<(usize, &NextToken)> {
        let step = (*self.steps_ending_at.get(token)?)?;
        Some((step, self.recording.steps[step].next()?))
    }

    /// Candidates with their text; bytes that are not text by themselves are shown as numbers.
    pub fn candidate_text(candidate: &Candidate) -> String {
        text::pieces(&[&candidate.bytes])[0].text.to_string()
    }

    /// `the`, ` cat`, or the character whose bytes this token continues.
    pub fn token_text(&self, token: usize) -> &str {
        self.shown_by(token).map_or("", |token| &*token.piece.text)
    }

    /// The same, to be kept.
    pub fn token_name(&self, token: usize) -> Rc<str> {
        self.shown_by(token).map_or_else(|| "".into(), |token| token.piece.text.clone())
    }

    fn shown_by(&self, token: usize) -> Option<&SceneToken> {
        let mut at = token;
        while at > 0 && self.tokens[at].piece.part == text::Part::Tail {
            at -= 1;
        }
        self.tokens.get(at)
    }

    /// What the gate of a layer said of each token in sight, before any softmax; `None` where that was not recorded.
    pub fn gate_logits(&self, layer: usize) -> Option<Cow<'_, GateLogits>> {
        let mut of_groups = self.groups.iter().map(|group| {
            let layer = self.recording.steps.get(group.step)?.layers.get(layer)?;
            layer.gate_logits.as_ref().filter(|logits| logits.num_tokens() == group.num_tokens)
        });
        let first = of_groups.next()??;
        if self.groups.len() == 1 {
            return Some(Cow::Borrowed(first));
        }
        let mut values = first.values().to_vec();
        for logits in of_groups {
            values.extend_from_slice(logits?.values());
        }
        GateLogits::new(first.num_experts(), values).ok().map(Cow::Owned)
    }

    /// Requests, those turned away, and dropped tokens, over all layers.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for layer in &self.layers {
            totals.add(layer.totals());
        }
        totals
    }

    /// Requests of the busiest expert over the mean, averaged over the layers.
    pub fn imbalance(&self) -> f64 {
        let of_layers = self.layers.iter().map(|layer| metrics::max_over_mean(&metrics::demand(&layer.routing)));
        of_layers.sum::<f64>() / self.layers.len().max(1) as f64
    }

    /// The next place after this one, by token and then layer, where a request was lost; wraps round.
    pub fn next_drop(&self, token: usize, layer: usize) -> Option<(usize, usize)> {
        let places = self.tokens.len() * self.layers.len();
        let num_layers = self.layers.len().max(1);
        let here = token * num_layers + layer;
        let place = |ahead: usize| ((here + ahead) % places / num_layers, (here + ahead) % places % num_layers);
        (1..=places).map(place).find(|&(token, layer)| self.layers[layer].fate(token) >= TokenFate::LostSome)
    }
}

/// Counts that must not be mistaken for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub requests: usize,
    pub lost: usize,
    pub dropped_tokens: usize,
}

impl Totals {
    fn add(&mut self, other: Totals) {
        self.requests += other.requests;
        self.lost += other.lost;
        self.dropped_tokens += other.dropped_tokens;
    }
}

impl SceneLayer {
    fn gather(parts: &[Rc<moe_trace::StepTrace>], groups: &[Group], layer: usize, rule: RouterSpec) -> SceneLayer {
        let first = &parts[0].layers[layer];
        let num_experts = first.routing().map_or(0, |routing| routing.num_experts as usize);
        let gate_is_recorded =
            parts.iter().filter_map(|part| part.layers.get(layer)).all(|of| of.gate_logits.is_some());
        let reading = GateReading::of(rule);
        let mut gate_values = Vec::new();
        let mut assignments = Vec::new();
        let mut capacities = Vec::new();
        let mut num_tokens = 0;
        for (part, group) in parts.iter().zip(groups) {
            num_tokens += group.num_tokens as u32;
            let Some(traced) = part.layers.get(layer) else { continue };
            if let Some(gate_logits) = traced.gate_logits.as_ref().filter(|_| gate_is_recorded) {
                gate_values.extend(reading.values(gate_logits));
            }
            let routing = traced.routing();
            capacities.push(routing.and_then(|routing| routing.capacity));
            let at = group.first as u32;
            let requests = routing.map_or(&[][..], |routing| &routing.assignments);
            assignments.extend(requests.iter().map(|a| Assignment { token: a.token + at, ..*a }));
        }
        let capacity = if groups.len() == 1 { capacities.first().copied().flatten() } else { None };
        let routing = Routing { num_tokens, num_experts: num_experts as u32, capacity, assignments };
        SceneLayer { layer: first.layer, rule, gate_values, gate_is_recorded, num_experts, routing, capacities }
    }

    /// What the rule read off the gate for one token, `[experts]`; empty where it read nothing.
    pub fn values_of(&self, token: usize) -> &[f32] {
        let start = token * self.num_experts;
        self.gate_values.get(start..start + self.num_experts).unwrap_or_default()
    }

    /// What to know about the values of the gate, where they are not simply what the rule decides by.
    pub fn gate_note(&self) -> Option<Cow<'static, str>> {
        match self.gate_is_recorded {
            true => self.reading().note(),
            false => Some(tongue::translated(GateReading::NOT_RECORDED)),
        }
    }

    pub fn reading(&self) -> GateReading {
        GateReading::of(self.rule)
    }

    /// Do the experts take tokens, instead of being asked by them?
    pub fn experts_take(&self) -> bool {
        rules::facts(&self.rule).fills_experts()
    }

    pub fn of_token(&self, token: usize) -> &[Assignment] {
        self.routing.of_token(token as u32)
    }

    pub fn fate(&self, token: usize) -> TokenFate {
        TokenFate::of(self.of_token(token))
    }

    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for of_token in self.routing.assignments.chunk_by(|a, b| a.token == b.token) {
            let requests = of_token.iter().filter(|a| a.fate.is_demand()).count();
            let lost = of_token.iter().filter(|a| a.fate == Fate::Lost).count();
            totals.add(Totals { requests, lost, dropped_tokens: usize::from(lost > 0 && lost == requests) });
        }
        totals
    }

    /// The requests of one group to one expert: the served ones by slot, then those turned away in order of the text.
    pub fn lane(&self, group: &Group, expert: ExpertIdx) -> Lane<'_> {
        Lane::of(expert, self.requests_of(group).iter().filter(|request| request.expert == expert))
    }

    /// The lanes of all experts: every request is looked at once.
    pub fn lanes(&self, group: &Group) -> Vec<Lane<'_>> {
        let mut of_experts = vec![Vec::new(); self.num_experts];
        for request in self.requests_of(group) {
            if let Some(of_expert) = of_experts.get_mut(request.expert.index()) {
                of_expert.push(request);
            }
        }
        let of_experts = of_experts.into_iter().enumerate();
        of_experts.map(|(expert, requests)| Lane::of(ExpertIdx(expert as u32), requests.into_iter())).collect()
    }

    /// Requests are in order of the text.
    fn requests_of(&self, group: &Group) -> &[Assignment] {
        let requests = &self.routing.assignments;
        let first = requests.partition_point(|request| (request.token as usize) < group.first);
        let end = requests.partition_point(|request| (request.token as usize) < group.first + group.num_tokens);
        &requests[first..end]
    }
}

/// One expert's share of a group.
#[derive(Debug, Clone)]
pub struct Lane<'a> {
    pub expert: ExpertIdx,
    pub kept: Vec<&'a Assignment>,
    pub lost: Vec<&'a Assignment>,
}

impl<'a> Lane<'a> {
    fn of(expert: ExpertIdx, requests: impl Iterator<Item = &'a Assignment>) -> Lane<'a> {
        let (mut kept, mut lost): (Vec<&Assignment>, Vec<&Assignment>) = (Vec::new(), Vec::new());
        for request in requests {
            match request.fate {
                Fate::Kept { .. } => kept.push(request),
                Fate::Lost => lost.push(request),
                _ => {}
            }
        }
        let slot = |at: usize| kept[at].fate.slot();
        let kept = sorted(kept.len(), &|a, b| slot(a).cmp(&slot(b))).into_iter().map(|at| kept[at]).collect();
        Lane { expert, kept, lost }
    }

    pub fn demand(&self) -> usize {
        self.kept.len() + self.lost.len()
    }
}
