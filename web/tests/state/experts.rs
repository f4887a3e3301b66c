//! What experts are asked by, against plain counts of the same steps, and what the text loses without one.

use moe_router::draws::SplitMix64;
use moe_router::{Router, RouterInput};
use moe_trace::{
    BackendChoice, Event, FinishReason, GateLogits, Intervention, LayerIdx, LayerTrace, NextToken, RoutingGroup,
    RunRequest, StepTrace, TokenId, TracedToken,
};
use web::run::experts::{LIFT, OFTEN, RATE};
use web::run::held_out::HeldOut;
use web::settings::depth::Depth;
use web::state::background::Purpose;
use web::state::held_out::Judged;
use web::state::{Action, Effect};

use super::play::{Play, recorded};
use crate::fixture;

/// Expert 3 of layer 1 is what every " the" asks; expert 5 what " of" asks, but only in the first half of a text.
const LAYER: usize = 1;
const ALWAYS: (&str, usize) = (" the", 3);
const AT_FIRST: (&str, usize) = (" of", 5);
const WORDS: [&str; 12] = [" the", " of", " a", " in", " to", " was", " it", " rain", " red", " old", " boat", " barn"];

/// The text that the engine makes of a request: the prompt, and so many words by lot.
fn tokens(request: &RunRequest) -> Vec<Vec<u8>> {
    let mut tokens = fixture::words(&request.prompt);
    let mut draws = SplitMix64::new(request.prompt.len() as u64);
    tokens.extend((0..request.max_new_tokens).map(|_| {
        // Half of the words are one of the first two.
        let word = (draws.u64() % 24) as usize;
        WORDS[if word < 12 { word } else { word % 2 }].as_bytes().to_vec()
    }));
    tokens
}

fn id(token: &[u8]) -> TokenId {
    TokenId(token.iter().fold(7, |id: u32, &byte| id.wrapping_mul(31).wrapping_add(byte.into())))
}

/// All of it in one step. A muted expert costs each token a tenth of its number and one.
fn answer(request: &RunRequest) -> StepTrace {
    let tokens = tokens(request);
    let ids: Vec<TokenId> = tokens.iter().map(|token| id(token)).collect();
    let router = Router::new(request.routing, fixture::NUM_EXPERTS).expect("valid");
    let layers = (0..fixture::NUM_LAYERS).map(|layer| {
        let row = |(at, token): (usize, &Vec<u8>)| {
            let mut draws = SplitMix64::new((layer * 7919 + at * 31 + tokens.len()) as u64);
            let mut row: Vec<f32> = (0..fixture::NUM_EXPERTS).map(|_| draws.normal() as f32).collect();
            let is = |word: &str| layer == LAYER && token == word.as_bytes();
            row[ALWAYS.1] += if is(ALWAYS.0) { 6.0 } else { 0.0 };
            row[AT_FIRST.1] += if is(AT_FIRST.0) && at * 2 < tokens.len() { 6.0 } else { 0.0 };
            row
        };
        let values = tokens.iter().enumerate().flat_map(row).collect();
        let gate_logits = GateLogits::new(fixture::NUM_EXPERTS, values).expect("whole rows");
        let routing = router.route(&RouterInput::new(&gate_logits).with_token_ids(&ids));
        LayerTrace::decided(LayerIdx(layer as u32), gate_logits, routing)
    });
    let layers = layers.collect();
    let muted: f32 = request
        .interventions
        .iter()
        .map(|change| match change {
            Intervention::Mute { expert, .. } => 0.1 * (expert.0 as f32 + 1.0),
            _ => 0.0,
        })
        .sum();
    let traced = tokens.iter().enumerate();
    let traced = traced.map(|(at, token)| TracedToken::text(id(token), token.clone(), (at > 0).then_some(2.0 + muted)));
    let next = NextToken { candidates: Vec::new(), chosen: None };
    StepTrace::of_text(request.run, 0, 0, traced.collect(), layers, next)
}

fn page() -> Play {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded());
    play.act(Action::SetDepth(Depth::Lab)).ready();
    play
}

/// Of all subsets of `asked` tokens, the share with at least `both` of the key's: each term a product.
fn tail(tokens: usize, asked: usize, of_key: usize, both: usize) -> f64 {
    let ln_choose = |n: usize, k: usize| (1..=k).map(|i| ((n - k + i) as f64 / i as f64).ln()).sum::<f64>();
    let is_possible = |k: &usize| asked - k <= tokens - of_key;
    let term = |k: usize| ln_choose(of_key, k) + ln_choose(tokens - of_key, asked - k) - ln_choose(tokens, asked);
    (both..=asked.min(of_key)).filter(is_possible).map(|k| term(k).exp()).sum::<f64>().min(1.0)
}

#[test]
fn a_speciality_is_what_holds_in_both_halves_as_plain_counts_say() {
    let mut play = page();
    let mut answered = play.answer_all(answer);
    assert_eq!(answered.len(), 1, "the reader's run");
    play.act(Action::SelectLayer(LAYER)).act(Action::SelectExpert(Some(ALWAYS.1)));
    let little = play.state.experts().cloned().expect("a run has ended");
    assert!(!little.sample.is_enough());
    assert!(little.experts.iter().all(|expert| expert.tokens.is_empty()), "nothing is tried on so little");

    play.act(Action::Compare(Purpose::MoreText));
    let longer = play.answer_all(answer);
    // The reader's text written on, and one of each kind.
    assert_eq!(longer.len(), 7);
    assert!(longer.iter().all(|(request, _)| request.routing == answered[0].0.routing));
    answered.extend(longer);
    let experts = play.state.experts().cloned().expect("more runs");

    // The first text is the beginning of the second, which counts from there on.
    let num_first = answered[0].1.tokens.len();
    let mut rows: Vec<(usize, String, Vec<usize>)> = Vec::new();
    for (at, (_, step)) in answered.iter().enumerate() {
        let from = if at == 1 { num_first } else { 0 };
        let middle = from + (step.tokens.len() - from).div_ceil(2);
        for token in from..step.tokens.len() {
            let routing = step.layers[LAYER].routing().expect("decided");
            let asked = routing.of_token(token as u32).iter().map(|request| request.expert.index()).collect();
            let word = String::from_utf8(step.tokens[token].bytes().to_vec()).expect("text");
            rows.push((usize::from(token >= middle), word, asked));
        }
    }
    assert_eq!(experts.sample.num_tokens(), rows.len());
    let number = |half: usize, expert: Option<usize>, word: Option<&str>| {
        let is = |row: &&(usize, String, Vec<usize>)| {
            row.0 == half
                && expert.is_none_or(|expert| row.2.contains(&expert))
                && word.is_none_or(|word| row.1 == word)
        };
        rows.iter().filter(is).count()
    };
    let mut words: Vec<&str> = rows.iter().map(|row| row.1.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    words.retain(|word| (0..2).all(|half| number(half, None, Some(word)) >= OFTEN));
    assert_eq!(experts.tried.0, words.len() * fixture::NUM_EXPERTS);

    // Every pair by hand, and Benjamini and Hochberg's step as they wrote it.
    let p_value = |half: usize, expert: usize, word: &str| {
        let of = |expert, word| number(half, expert, word);
        tail(of(None, None), of(Some(expert), None), of(None, Some(word)), of(Some(expert), Some(word)))
    };
    let lift = |half: usize, expert: usize, word: &str| {
        let of = |expert, word| number(half, expert, word) as f64;
        of(Some(expert), Some(word)) * of(None, None) / (of(None, Some(word)) * of(Some(expert), None))
    };
    let rejected = |half: usize, pairs: Vec<(usize, String)>| -> Vec<(usize, String)> {
        let mut p_values: Vec<f64> = pairs.iter().map(|(expert, word)| p_value(half, *expert, word)).collect();
        p_values.sort_by(f64::total_cmp);
        let number = p_values.len() as f64;
        let limit = p_values.iter().enumerate().filter(|(at, p)| **p <= RATE * (at + 1) as f64 / number);
        let limit = limit.map(|(_, p)| *p).fold(-1.0, f64::max);
        let clear = |(expert, word): &(usize, String)| {
            p_value(half, *expert, word) <= limit && lift(half, *expert, word) >= LIFT
        };
        pairs.into_iter().filter(clear).collect()
    };
    let all = (0..fixture::NUM_EXPERTS).flat_map(|expert| words.iter().map(move |word| (expert, (*word).to_owned())));
    let found = rejected(0, all.collect());
    let holds = rejected(1, found.clone());
    assert!(found.contains(&(AT_FIRST.1, AT_FIRST.0.to_owned())), "{found:?}");
    assert_eq!(holds, [(ALWAYS.1, ALWAYS.0.to_owned())]);

    for (at, expert) in experts.experts.iter().enumerate() {
        let of_half = |half: usize| number(half, Some(at), None);
        assert_eq!(expert.asked, of_half(0) + of_half(1));
        let said: Vec<(usize, String)> =
            expert.tokens.iter().filter(|it| it.holds()).map(|it| (at, it.words.to_string())).collect();
        assert_eq!(said, holds.iter().filter(|(expert, _)| *expert == at).cloned().collect::<Vec<_>>());
        for association in &expert.tokens {
            for (half, counts) in [association.first, association.second].into_iter().enumerate() {
                let of = |expert, word| number(half, expert, word);
                let word = Some(&*association.words);
                let expected = (of(None, None), of(Some(at), None), of(None, word), of(Some(at), word));
                assert_eq!((counts.tokens, counts.asked, counts.of_key, counts.both), expected);
            }
        }
        // Whom its tokens ask besides.
        for partner in &expert.partners {
            let both = rows.iter().filter(|row| row.2.contains(&at) && row.2.contains(&partner.expert.index())).count();
            assert!((partner.share - both as f64 / expert.asked as f64).abs() < 1e-12);
        }
    }
    let loads: f64 = experts.experts.iter().map(|expert| expert.load).sum();
    let mass: f64 = experts.experts.iter().filter_map(|expert| expert.mass).sum();
    assert!((loads - 1.0).abs() < 1e-9 && (mass - 1.0).abs() < 1e-6, "{loads}, {mass}");

    // Places of the speciality, of which those on the screen can be gone to.
    let contexts = experts.contexts(ALWAYS.1);
    assert!(!contexts.is_empty() && contexts.iter().all(|context| context.word == ALWAYS.0));
    let run = play.scene();
    for token in contexts.iter().filter_map(|context| context.token) {
        assert_eq!(run.token_text(token), ALWAYS.0);
    }
}

#[test]
fn longer_texts_are_kept_for_their_last_step_and_for_runs_alike() {
    let mut play = page();
    play.answer_all(answer);
    play.act(Action::Compare(Purpose::MoreText));
    // The prompt first, and then all of it.
    let first = play.posted().expect("a longer text");
    let prompt = answer(&RunRequest { max_new_tokens: 0, ..first.clone() });
    let whole = StepTrace { step: 1, ..answer(&first) };
    let num_whole = whole.tokens.len();
    assert!(prompt.tokens.len() < num_whole);
    for trace in [prompt, whole] {
        play.hear(Event::Step { trace: trace.into(), elapsed_ms: 10.0 });
    }
    play.hear(Event::Finished { run: first.run, reason: FinishReason::Length });
    let kept = &play.state.background().kept()[0];
    assert_eq!((kept.steps.len(), kept.steps[0].tokens.len(), kept.elapsed_ms.len()), (1, num_whole, 2));
    play.answer_all(answer);
    let num_tokens = |play: &Play| play.state.experts().map(|experts| experts.sample.num_tokens());
    let before = num_tokens(&play).expect("runs");
    // Another routing is another sample.
    play.act(Action::Set(web::settings::Setting::CapacityFactor(0.5)));
    play.act(Action::Rerun);
    let own = play.answer_all(answer);
    assert_eq!(own.len(), 1);
    assert_eq!(num_tokens(&play), Some(own[0].1.tokens.len()));
    assert!(before > own[0].1.tokens.len());
}

#[test]
fn an_expert_is_muted_beside_each_other_one() {
    let mut play = page();
    let first = play.answer_all(answer).remove(0).0;
    play.act(Action::SelectLayer(LAYER)).act(Action::SelectExpert(Some(ALWAYS.1)));
    assert!(play.state.muting().is_none());
    play.act(Action::Compare(Purpose::Muting));
    let answered = play.answer_all(answer);
    // One text: as it is, and with each of the eight muted; that one first.
    assert_eq!(answered.len(), 1 + fixture::NUM_EXPERTS);
    let mute = |expert: usize| Intervention::Mute {
        layer: LayerIdx(LAYER as u32),
        expert: moe_trace::ExpertIdx(expert as u32),
    };
    assert_eq!(answered[0].0.interventions, []);
    assert_eq!(answered[1].0.interventions, [mute(ALWAYS.1)]);
    assert!(answered.iter().all(|(request, _)| (request.max_new_tokens, request.group) == (0, RoutingGroup::ThisText)));
    assert!(answered.iter().all(|(request, _)| request.prompt.starts_with(&first.prompt)));

    let muting = play.state.muting().cloned().expect("computed");
    let [row] = &muting.rows[..] else { panic!("one kind of text") };
    assert_eq!((row.num_tokens, row.others.len()), (answered[0].1.tokens.len() - 1, 7));
    // The fixture's losses: 0.1 for expert 0 to 0.8 for expert 7. The others' mean is (3.6 - 0.4) / 7.
    assert!((row.as_run - 2.0).abs() < 1e-6 && (row.cost() - 0.4).abs() < 1e-6, "{row:?}");
    assert!((row.cost_of_another().expect("others") - 3.2 / 7.0).abs() < 1e-6);
    assert_eq!(row.num_cheaper(), 3);

    // Another expert of the layer needs nothing more; one of another layer all.
    play.act(Action::SelectExpert(Some(0)));
    assert_eq!(play.state.muting().map(|muting| muting.all().num_cheaper()), Some(0));
    play.act(Action::SelectLayer(0));
    assert!(play.state.muting().is_none());
}

#[test]
fn nothing_is_counted_while_the_lab_is_closed() {
    let mut play = Play::new(BackendChoice::Auto);
    play.replay(&recorded()).ready();
    play.answer_all(answer);
    assert!(play.state.experts().is_none());
    play.act(Action::SetDepth(Depth::Lab));
    assert!(play.state.experts().is_some());
}

const HELD_OUT: &str = "Prose | a book | ch. 1\n{a}\u{1e}Rust | std | a.rs\n{b}";

/// Two kinds of text of so many words by lot.
fn held_out() -> HeldOut {
    let text = |seed: u64| {
        let mut draws = SplitMix64::new(seed);
        (0..200).map(|_| WORDS[(draws.u64() % 12) as usize]).collect::<String>()
    };
    HeldOut::read(&HELD_OUT.replace("{a}", &text(1)).replace("{b}", &text(2))).expect("two records")
}

#[test]
fn held_out_text_is_fetched_when_asked_for_and_judges_instead_of_the_readers_runs() {
    let mut play = page();
    play.answer_all(answer);
    play.act(Action::SelectLayer(LAYER));
    let of_runs = play.state.experts().cloned().expect("a run has ended");
    play.act(Action::Judge(Judged::ByHeldOut));
    assert!(play.effects.contains(&Effect::FetchHeldOut) && play.state.held_out().is_coming());
    play.act(Action::Judge(Judged::ByHeldOut));
    assert!(!play.effects.contains(&Effect::FetchHeldOut), "it is on its way");
    assert_eq!(play.state.experts().cloned(), Some(of_runs.clone()), "until it is there");

    play.act(Action::HeldOutCame(Ok(held_out())));
    let answered = play.answer_all(answer);
    assert_eq!(answered.len(), 2);
    assert!(answered.iter().all(|(request, _)| request.max_new_tokens == 0));
    assert!(play.state.is_held_out_whole());
    let experts = play.state.experts().cloned().expect("held-out text was run");
    let kinds: Vec<&str> = experts.sample.kinds.iter().map(|kind| &**kind).collect();
    assert_eq!((kinds, experts.sample.num_tokens()), (vec!["Prose", "Rust"], 400));
    // Divergence of each kind by plain counts.
    let parts: Vec<Vec<f64>> = answered
        .iter()
        .map(|(_, step)| {
            let mut counts = vec![0.0; fixture::NUM_EXPERTS];
            let routing = step.layers[LAYER].routing().expect("decided");
            routing.assignments.iter().for_each(|request| counts[request.expert.index()] += 1.0);
            let all: f64 = counts.iter().sum();
            counts.into_iter().map(|count| count / all).collect()
        })
        .collect();
    for (at, found) in experts.divergence.iter().enumerate() {
        let js: f64 = (0..fixture::NUM_EXPERTS)
            .map(|expert| {
                let (p, q) = (parts[at][expert], (parts[0][expert] + parts[1][expert]) / 2.0);
                let m = (p + q) / 2.0;
                let term = |of: f64| if of > 0.0 { of * (of / m).ln() } else { 0.0 };
                (term(p) + term(q)) / 2.0
            })
            .sum();
        assert!((found.nats - js).abs() < 1e-9 && found.by_lot > 0.0, "{found:?}, by hand {js}");
    }
    // An expert is muted on the same texts, and each kind has a row.
    play.act(Action::Compare(Purpose::Muting));
    play.answer_all(answer);
    let rows = play.state.muting().expect("it was computed").rows.len();
    assert_eq!(rows, 3, "two kinds and all together");

    play.act(Action::Judge(Judged::ByRuns));
    let again = play.state.experts().cloned().expect("the reader's runs");
    assert_eq!(again.sample.num_tokens(), of_runs.sample.num_tokens());
}

#[test]
fn held_out_text_that_does_not_come_changes_nothing() {
    let mut play = page();
    play.answer_all(answer);
    play.act(Action::Judge(Judged::ByHeldOut)).act(Action::HeldOutCame(Err("Nothing came.".to_owned())));
    assert_eq!(
        (play.state.held_out().failure(), play.state.held_out().judged()),
        (Some("Nothing came."), Judged::ByRuns)
    );
    assert!(play.state.experts().is_some());
    // And is asked for again.
    assert!(play.act(Action::Judge(Judged::ByHeldOut)).effects.contains(&Effect::FetchHeldOut));
}
