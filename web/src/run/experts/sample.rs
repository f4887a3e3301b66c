//! The text that experts are judged by: finished runs of one model with one routing, each stretch of text counted once.

use std::collections::HashMap;
use std::rc::Rc;

use moe_trace::prompts::EXAMPLES;
use moe_trace::{RoutingGroup, RunId, RunRequest, Sampling, TracedToken};

use crate::run::experts::ENOUGH;
use crate::run::fixed_text;
use crate::run::held_out::HeldOut;
use crate::run::recording::Recording;
use crate::run::scene::Scene;
use crate::run::shared::Shared;

/// What the reader's own text is called among the kinds of text.
pub const OWN: &str = marked!("your text");

/// So many tokens a longer text has, if the model sees that many.
const LENGTH: u32 = 128;

#[derive(Debug)]
pub struct Sample {
    pub texts: Vec<Text>,
    /// What there is of tokens, and of kinds of text.
    pub words: Vec<Rc<str>>,
    pub kinds: Vec<Rc<str>>,
}

#[derive(Debug)]
pub struct Text {
    pub kind: usize,
    pub scene: Shared<Scene>,
    /// Tokens before this one stand in an earlier text of the sample, and are counted there.
    pub first: usize,
    /// The word of each token of the text.
    words: Vec<usize>,
    pub is_on_screen: bool,
}

/// A token of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleToken {
    pub text: usize,
    /// Position in that text.
    pub at: usize,
    pub word: usize,
    pub kind: usize,
    /// 0 in the first half of what its text adds, 1 in the second. Halves are whole stretches: neighbours are alike.
    pub half: usize,
}

impl Sample {
    /// Of these runs, in this order; those after the first that have other layers are left out.
    /// `held_out` knows the kinds of its texts.
    pub fn of(
        runs: &[Shared<Recording>],
        on_screen: Option<&Shared<Recording>>,
        held_out: Option<&HeldOut>,
    ) -> Option<Sample> {
        let mut sample = Sample { texts: Vec::new(), words: Vec::new(), kinds: Vec::new() };
        let mut words = HashMap::new();
        let mut read: Vec<Vec<&TracedToken>> = Vec::new();
        for run in runs {
            let Some(scene) = Scene::of(run, run.steps.len().saturating_sub(1)).map(Shared::new) else { continue };
            if sample.texts.first().is_some_and(|text| !has_same_layers(&text.scene, &scene)) {
                continue;
            }
            let tokens = tokens_of(run);
            let common = |other: &Vec<&TracedToken>| {
                tokens.iter().zip(other).take_while(|(one, other)| is_same_word(one, other)).count()
            };
            let first = read.iter().map(common).max().unwrap_or(0);
            if first == tokens.len() || tokens.len() != scene.tokens.len() {
                continue;
            }
            let of_text = tokens.iter().enumerate().map(|(at, token)| {
                // Without an id it is what it shows.
                let name = scene.token_name(at);
                let key = (token.id.map(|id| id.0), token.id.is_none().then(|| name.clone()));
                *words.entry(key).or_insert_with(|| {
                    sample.words.push(name);
                    sample.words.len() - 1
                })
            });
            let of_text = of_text.collect();
            let kind = held_out.and_then(|held_out| held_out.kind_of(&run.request));
            let kind = sample.kind(kind.unwrap_or_else(|| kind_of(&run.request)));
            let is_on_screen = on_screen.is_some_and(|shown| shown.request == run.request);
            sample.texts.push(Text { kind, scene, first, words: of_text, is_on_screen });
            read.push(tokens);
        }
        (!sample.texts.is_empty()).then_some(sample)
    }

    fn kind(&mut self, name: &str) -> usize {
        self.kinds.iter().position(|kind| **kind == *name).unwrap_or_else(|| {
            self.kinds.push(name.into());
            self.kinds.len() - 1
        })
    }

    pub fn tokens(&self) -> impl Iterator<Item = SampleToken> + '_ {
        self.texts.iter().enumerate().flat_map(|(text, of)| {
            let middle = of.first + (of.words.len() - of.first).div_ceil(2);
            (of.first..of.words.len()).map(move |at| SampleToken {
                text,
                at,
                word: of.words[at],
                kind: of.kind,
                half: usize::from(at >= middle),
            })
        })
    }

    pub fn num_tokens(&self) -> usize {
        self.texts.iter().map(|text| text.words.len() - text.first).sum()
    }

    /// Are there so many tokens that a speciality could be told from chance?
    pub fn is_enough(&self) -> bool {
        self.num_tokens() >= ENOUGH
    }

    /// Texts that can be read again as a whole, each with the run whose text it is and its kind. One that another goes
    /// on with is read with that.
    pub fn whole_texts(&self) -> Vec<(Shared<Recording>, String, usize)> {
        let with_text = |text: &Text| {
            let run = &text.scene.recording;
            Some((run.clone(), fixed_text::text(run)?, text.kind))
        };
        let all: Vec<_> = self.texts.iter().filter_map(with_text).collect();
        let is_part = |text: &str| all.iter().any(|(_, other, _)| other.len() > text.len() && other.starts_with(text));
        all.iter().filter(|(_, text, _)| !is_part(text)).cloned().collect()
    }

    /// The word before a token in its text.
    pub fn word_before(&self, token: SampleToken) -> Option<usize> {
        self.texts[token.text].words.get(token.at.checked_sub(1)?).copied()
    }

    /// Tokens of each kind of text.
    pub fn num_by_kind(&self) -> Vec<usize> {
        let mut numbers = vec![0; self.kinds.len()];
        self.tokens().for_each(|token| numbers[token.kind] += 1);
        numbers
    }
}

/// Longer texts to judge by: that of this run written on, and one of every kind that the page has an example of. They are
/// sampled as the model expects them, since the likeliest text repeats itself.
pub fn requests(run: &Recording) -> Vec<RunRequest> {
    let length = LENGTH.min(run.model.max_tokens);
    let group = match run.request.group {
        RoutingGroup::Batch => RoutingGroup::ThisText,
        group => group,
    };
    let written = |prompt: &str, max_new_tokens: u32| RunRequest {
        run: RunId(0),
        prompt: prompt.to_owned(),
        companions: Vec::new(),
        max_new_tokens,
        sampling: Sampling::Random { temperature: 1.0, top_k: 0, top_p: 1.0 },
        group,
        ..RunRequest::clone(&run.request)
    };
    let so_far = run.text_len(run.steps.len().saturating_sub(1)) as u32;
    let own = fixed_text::text(run).map(|text| written(&text, length.saturating_sub(so_far)));
    let own = own.filter(|own| own.max_new_tokens > 0);
    // The example prompts are shorter than a quarter of that.
    let of_kinds = EXAMPLES.iter().filter(|example| *example.kind != *kind_of(&run.request));
    own.into_iter().chain(of_kinds.map(|example| written(example.prompt, length * 3 / 4))).collect()
}

/// Is this a run of those, for a sample that begins with `first`?
pub fn is_longer_text(run: &Recording, first: &Recording) -> bool {
    run.request.max_new_tokens > 0 && is_like(run, first)
}

/// Do both have the same model, routed alike and changed alike inside?
pub fn is_like(run: &Recording, first: &Recording) -> bool {
    let of = |run: &Recording| (run.request.routing, run.request.group, run.source);
    of(run) == of(first)
        && run.model.weights_sha256 == first.model.weights_sha256
        && run.request.interventions == first.request.interventions
}

/// The kind of text that a run is of: that of the example it begins with.
fn kind_of(request: &RunRequest) -> &'static str {
    let example = EXAMPLES.iter().find(|example| request.prompt.starts_with(example.prompt));
    example.map_or(OWN, |example| example.kind)
}

fn tokens_of(run: &Recording) -> Vec<&TracedToken> {
    let steps = match run.request.group {
        RoutingGroup::ThisText => run.steps.last().map_or(&[][..], std::slice::from_ref),
        _ => &run.steps[..],
    };
    steps.iter().flat_map(|step| &step.tokens).collect()
}

fn is_same_word(one: &TracedToken, other: &TracedToken) -> bool {
    one.id == other.id && one.content == other.content
}

fn has_same_layers(one: &Scene, other: &Scene) -> bool {
    one.layers.len() == other.layers.len() && one.num_experts() == other.num_experts()
}
