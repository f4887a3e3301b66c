//! Several texts that decode in step and share capacity, and each of them alone: whose request is lost depends on the
//! others, and what that changes shows beside the run where there are none.

use std::rc::Rc;

use moe_trace::{Assignment, Fate, RoutingGroup, RunId, RunRequest, Sampling, Sequences, StepTrace};

use crate::run::recording::Recording;
use crate::run::scene::TokenFate;
use crate::run::shared::Shared;
use crate::run::text;

/// Tokens that each text is continued by.
pub const NUM_NEW: u32 = 16;

/// The texts together, then each alone, with the routing and the seed of the run on the screen. In the batch each text has
/// a seed of its own, and keeps it alone. Nothing is changed inside the model.
pub fn requests(run: &Recording, texts: &[String]) -> Vec<RunRequest> {
    let together = texts.split_first().map(|(first, others)| batch(run, first, others));
    let alone = texts.iter().enumerate().map(|(number, text)| alone(run, number, text));
    together.into_iter().chain(alone).collect()
}

fn batch(run: &Recording, first: &str, others: &[String]) -> RunRequest {
    RunRequest {
        run: RunId(0),
        prompt: first.to_owned(),
        companions: others.to_vec(),
        max_new_tokens: NUM_NEW,
        sampling: Sampling::Greedy,
        routing: run.request.routing,
        group: RoutingGroup::Batch,
        seed: run.request.seed,
        interventions: Vec::new(),
    }
}

fn alone(run: &Recording, number: usize, text: &str) -> RunRequest {
    let request = batch(run, text, &[]);
    RunRequest { seed: request.seed.wrapping_add(number as u32), ..request }
}

#[derive(Debug)]
pub struct InStep {
    /// One for each text.
    pub rows: Vec<Row>,
    /// Of the batch.
    pub steps: Vec<Rc<StepTrace>>,
}

/// A text in the batch.
#[derive(Debug)]
pub struct Row {
    /// By step, which is also the position in the text.
    pub cells: Vec<Cell>,
    /// Beside its run alone, once that was computed.
    pub alone: Option<Difference>,
}

#[derive(Debug)]
pub struct Cell {
    /// Empty where it continues the character that an earlier token shows.
    pub text: Rc<str>,
    pub is_prompt: bool,
    /// Of the step's tokens.
    row: usize,
}

/// What is otherwise in the batch than alone.
#[derive(Debug, Default, PartialEq)]
pub struct Difference {
    /// Tokens, from the first, that are the same in both.
    pub num_same: usize,
    /// Of these: how many ask other experts, in any layer.
    pub num_routes: usize,
    /// Of these: how many have a request turned away that is served alone, or the other way round, in any layer.
    pub num_fates: usize,
    /// The first of these of which anything is otherwise.
    pub first: Option<usize>,
    /// Nats that these cost more than alone, together.
    pub nats: f64,
    /// What is written from `num_same` on, here and alone, where that differs.
    pub written: Option<[String; 2]>,
}

/// An expert that was asked in a step, and by which texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub expert: u32,
    /// Who has its slots, by slot.
    pub served: Vec<usize>,
    /// Who was turned away, in the order of the texts.
    pub lost: Vec<usize>,
}

/// Requests that were turned away, over all steps and layers.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lost {
    pub requests: usize,
    pub lost: usize,
    pub of_texts: Vec<usize>,
}

impl InStep {
    /// `result`: the finished run of a request. `None` before the texts were run together.
    pub fn of(
        run: &Recording,
        texts: &[String],
        result: impl Fn(&RunRequest) -> Option<Shared<Recording>>,
    ) -> Option<InStep> {
        let (first, others) = texts.split_first()?;
        let steps = result(&batch(run, first, others))?.steps.clone();
        let row = |(number, prompt): (usize, &String)| {
            let here = places(&steps, number);
            let difference = |alone: Shared<Recording>| difference(&here, &places(&alone.steps, 0));
            let mut num_bytes = 0;
            let cells = pieces(&here).into_iter().zip(&here).map(|(text, place)| {
                let is_prompt = num_bytes < prompt.len();
                num_bytes += place.step.tokens[place.row].bytes().len();
                Cell { text, is_prompt, row: place.row }
            });
            Row { cells: cells.collect(), alone: result(&alone(run, number, prompt)).map(difference) }
        };
        Some(InStep { rows: texts.iter().enumerate().map(row).collect(), steps })
    }

    pub fn num_layers(&self) -> usize {
        self.steps.first().map_or(0, |step| step.layers.len())
    }

    /// What became of a text's token; `None` where the text has ended.
    pub fn fate(&self, text: usize, step: usize, layer: usize) -> Option<TokenFate> {
        let cell = self.rows[text].cells.get(step)?;
        Some(TokenFate::of(requests_of(&self.steps[step], layer, cell.row)))
    }

    /// Slots per expert; `None` where nobody is turned away.
    pub fn capacity(&self, step: usize, layer: usize) -> Option<u32> {
        self.steps.get(step)?.layers.get(layer)?.routing()?.capacity
    }

    /// How many texts have a token in a step.
    pub fn num_texts(&self, step: usize) -> usize {
        self.steps.get(step).map_or(0, |step| step.tokens.len())
    }

    /// The experts that were asked in a step, and who asked.
    pub fn asked(&self, step: usize, layer: usize) -> Vec<Asked> {
        let Some(routing) = self.steps.get(step).and_then(|step| step.layers.get(layer)?.routing()) else {
            return Vec::new();
        };
        let text_of = |request: &Assignment| {
            self.rows.iter().position(|row| row.cells.get(step).is_some_and(|cell| cell.row == request.token as usize))
        };
        let of_expert = |expert: u32| {
            let requests = || routing.assignments.iter().filter(move |request| request.expert.0 == expert);
            let mut served: Vec<(u32, usize)> =
                requests().filter_map(|request| Some((request.fate.slot()?, text_of(request)?))).collect();
            served.sort_unstable();
            let lost = requests().filter(|request| request.fate == Fate::Lost).filter_map(text_of).collect();
            Asked { expert, served: served.into_iter().map(|(_, text)| text).collect(), lost }
        };
        let all = (0..routing.num_experts).map(of_expert);
        all.filter(|asked| !asked.served.is_empty() || !asked.lost.is_empty()).collect()
    }

    /// The first step at which a layer turns somebody away.
    pub fn first_lost(&self, layer: usize) -> Option<usize> {
        let is_lost = |step: &Rc<StepTrace>| {
            let routing = step.layers.get(layer).and_then(|layer| layer.routing());
            routing.is_some_and(|routing| routing.assignments.iter().any(|request| request.fate == Fate::Lost))
        };
        self.steps.iter().position(is_lost)
    }

    pub fn lost(&self) -> Lost {
        let mut all = Lost { of_texts: vec![0; self.rows.len()], ..Lost::default() };
        for (row, of_text) in self.rows.iter().zip(0usize..) {
            for (cell, step) in row.cells.iter().zip(&self.steps) {
                for layer in 0..step.layers.len() {
                    let requests = requests_of(step, layer, cell.row);
                    let lost = requests.iter().filter(|request| request.fate == Fate::Lost).count();
                    all.requests += requests.iter().filter(|request| request.fate.is_demand()).count();
                    all.lost += lost;
                    all.of_texts[of_text] += lost;
                }
            }
        }
        all
    }
}

/// A token of a text: the step it is in, and which of its tokens it is.
struct Place<'a> {
    step: &'a StepTrace,
    row: usize,
}

/// The tokens of a text, in order.
fn places(steps: &[Rc<StepTrace>], text: usize) -> Vec<Place<'_>> {
    let place = |step: &'_ Rc<StepTrace>| {
        let Sequences::Batch { sequences } = &step.sequences else { return None };
        sequences.iter().position(|entry| entry.sequence as usize == text)
    };
    // An engine of ours gives each text one token a step.
    let of_steps = steps.iter().map_while(|step| Some(Place { step, row: place(step)? }));
    of_steps.filter(|place| place.row < place.step.tokens.len()).collect()
}

fn pieces(places: &[Place<'_>]) -> Vec<Rc<str>> {
    let bytes: Vec<&[u8]> = places.iter().map(|place| place.step.tokens[place.row].bytes()).collect();
    text::pieces(&bytes).into_iter().map(|piece| piece.text).collect()
}

fn requests_of(step: &StepTrace, layer: usize, row: usize) -> &[Assignment] {
    step.layers.get(layer).and_then(|layer| layer.routing()).map_or(&[][..], |routing| routing.of_token(row as u32))
}

fn difference(here: &[Place<'_>], alone: &[Place<'_>]) -> Difference {
    let token = |place: &Place<'_>| place.step.tokens[place.row].clone();
    let same = |pair: &(&Place<'_>, &Place<'_>)| token(pair.0).id == token(pair.1).id;
    let num_same = here.iter().zip(alone).take_while(same).count();
    let mut difference = Difference { num_same, ..Difference::default() };
    for (at, (here, alone)) in here.iter().zip(alone).take(num_same).enumerate() {
        let (mut routes, mut fates) = (false, false);
        for layer in 0..here.step.layers.len() {
            let (one, other) = (requests_of(here.step, layer, here.row), requests_of(alone.step, layer, alone.row));
            routes |= !one.iter().map(|request| request.expert).eq(other.iter().map(|request| request.expert));
            fates |= TokenFate::of(one) != TokenFate::of(other)
                || !one.iter().map(|request| request.fate.is_kept()).eq(other.iter().map(|it| it.fate.is_kept()));
        }
        difference.num_routes += usize::from(routes);
        difference.num_fates += usize::from(fates);
        if routes || fates {
            difference.first = difference.first.or(Some(at));
        }
        let losses = token(here).loss.zip(token(alone).loss);
        difference.nats += losses.map_or(0.0, |(here, alone)| f64::from(here) - f64::from(alone));
    }
    if num_same < here.len() || num_same < alone.len() {
        let rest = |places: &[Place<'_>]| pieces(&places[num_same..]).concat();
        difference.written = Some([rest(here), rest(alone)]);
    }
    difference
}
