//! What holds for every text: no text panics the parser, what a spec prints or serialises is read back as itself, and
//! errors name the offending part.

use moe_router::rule::{Argument, Kind, Rule, Value};
use moe_router::rules::{self, mixer_text, parse_mixer, parse_router, router_text};
use moe_trace::{MixerSpec, RouterSpec};
use proptest::prelude::*;

use crate::common::with_text;

/// What may stand for an argument, over the whole range of its kind; now and then nothing, where it may be left out.
fn given(argument: &'static Argument) -> BoxedStrategy<Option<String>> {
    let key = argument.key;
    let number = prop_oneof![any::<f32>().prop_filter("a finite number", |x| x.is_finite()), 0.0_f32..2.0];
    let value = match argument.value {
        Value::Count => any::<u32>().prop_map(|count| count.to_string()).boxed(),
        Value::Number => number.prop_map(|number| number.to_string()).boxed(),
        Value::Word(words) => prop::sample::select(words).prop_map(str::to_owned).boxed(),
    };
    let value = value.prop_map(move |value| format!("{key}={value}"));
    if argument.optional { prop::option::of(value).boxed() } else { value.prop_map(Some).boxed() }
}

/// Texts of every rule of a kind, with any numbers.
fn any_text_of(kind: Kind) -> impl Strategy<Value = String> {
    let rules: Vec<&'static Rule> = with_text(kind).map(|(rule, _)| rule).collect();
    prop::sample::select(rules).prop_flat_map(|rule| {
        let arguments: Vec<_> = rule.arguments().unwrap_or_default().iter().map(given).collect();
        arguments.prop_map(|given| {
            let given: Vec<String> = given.into_iter().flatten().collect();
            format!("{}:{}", rule.name, given.join(","))
        })
    })
}

/// Any text, and texts that look like rules: heads, keys, words and numbers in any order.
fn text() -> impl Strategy<Value = String> {
    let heads = rules::all().map(|rule| rule.name.to_owned());
    let arguments = rules::all().filter_map(|rule| rule.arguments()).flatten();
    let keys = arguments.map(|argument| format!("{}=", argument.key));
    let words = [":", ",", "=", "raw", "after", "greedy", "2", "-1", "0.5", "1e999", "NaN", " ", "é", "4294967296"];
    let pieces: Vec<String> = heads.chain(keys).chain(words.map(str::to_owned)).collect();
    let of_pieces = prop::collection::vec(prop::sample::select(pieces), 0..9).prop_map(|pieces| pieces.concat());
    prop_oneof![any::<String>(), of_pieces]
}

/// What is written as text or JSON is read as itself.
fn check_router(spec: RouterSpec) -> Result<(), TestCaseError> {
    prop_assert_eq!(parse_router(&router_text(&spec)), Ok(spec));
    let json = serde_json::to_string(&spec).expect("serialises");
    prop_assert_eq!(serde_json::from_str::<RouterSpec>(&json).expect("parses"), spec);
    Ok(())
}

fn check_mixer(spec: MixerSpec) -> Result<(), TestCaseError> {
    prop_assert_eq!(parse_mixer(&mixer_text(&spec)), Ok(spec));
    let json = serde_json::to_string(&spec).expect("serialises");
    prop_assert_eq!(serde_json::from_str::<MixerSpec>(&json).expect("parses"), spec);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics_and_what_parses_prints_back(text in text()) {
        parse_router(&text).map_or(Ok(()), check_router)?;
        parse_mixer(&text).map_or(Ok(()), check_mixer)?;
    }

    #[test]
    fn rules_that_assign_survive_text_and_json(text in any_text_of(Kind::Assigns)) {
        // Optional arguments may exclude each other.
        parse_router(&text).map_or(Ok(()), check_router)?;
    }

    #[test]
    fn rules_that_mix_survive_text_and_json(text in any_text_of(Kind::Mixes)) {
        check_mixer(parse_mixer(&text).expect("a complete form"))?;
    }
}

#[test]
fn texts_that_are_printed_as_they_were_written() {
    for text in [
        "dense",
        "switch",
        "top_k:2",
        "top_k:1,raw",
        "top_k:4,softmax_after",
        "top_k:4,p=2",
        "gshard:always",
        "gshard:never",
        "gshard:proportional,after",
        "gshard:sampled",
        "gshard:threshold=0.2",
        "gshard:random=0.2,after",
    ] {
        assert_eq!(router_text(&parse_router(text).expect(text)), text);
    }
}

#[test]
fn many_texts_one_rule() {
    let check = |text: &str, printed: &str| assert_eq!(router_text(&parse_router(text).expect(text)), printed);
    check(" top_k : 2 , raw ", "top_k:2,raw");
    check("top_k:weighting=raw,k=2", "top_k:2,raw");
    check("top_k:raw,2", "top_k:2,raw");
    check("top_k:2,norm", "top_k:2");
    check("gshard", "gshard:always");
    check("gshard:after", "gshard:always,after");
    check("gshard:second=never,normalise=before", "gshard:never");
    check("deepseek:8", "deepseek:k=8,groups=1,kept=1,scale=1");
    check("deepseek:8,4,2,2.5", "deepseek:k=8,groups=4,kept=2,scale=2.5");
    check("deepseek:k=8,scale=2.5", "deepseek:k=8,groups=1,kept=1,scale=2.5");
    check("noisy:std=1,2", "noisy:k=2,std=1");
    check("sinkhorn", "sinkhorn:1");
    check("base", "base:auction");
}

#[test]
fn errors_name_the_offending_part_and_what_is_allowed() {
    let check = |text: &str, message: &str| {
        let error = parse_router(text).expect_err(text).to_string();
        assert!(error.starts_with(message), "{error}");
    };
    check(
        "topk:2",
        "\"topk\" is not a routing rule; allowed: dense, switch, top_k:k=K[,weighting=norm|raw|softmax_after]",
    );
    check("top_k:two", "\"two\" is not a value for k of top_k; allowed: a whole number, as in top_k:2");
    check("top_k:2,half", "\"half\" is not a free argument of top_k; allowed: top_k:k=K[,weighting=");
    check("top_k:2,k=3", "\"k=3\" is not a free argument of top_k; allowed: top_k:k=K");
    check(
        "top_k:2,weighting=half",
        "\"half\" is not a value for weighting of top_k; allowed: norm, raw, softmax_after",
    );
    check("top_k:2,p=inf", "\"inf\" is not a value for p of top_k; allowed: a finite number, as in top_k:2");
    check("top_k:raw", "\"top_k:raw\" is not a complete form of top_k; allowed: top_k:k=K");
    let weighting =
        "\"weighting=raw,p=3\" is not a pair of arguments of top_k that go together; allowed: one of them in top_k:k=K";
    check("top_k:2,raw,p=3", weighting);
    let second = "\"second=never,random=0.2\" is not a pair of arguments of gshard that go together; allowed: one of them in gshard";
    check("gshard:never,random=0.2", second);
    check("gshard:threshold=1,random=1,after", "\"threshold=1,random=1\" is not a pair of arguments of gshard that");
    check("gshard:often", "\"often\" is not a free argument of gshard; allowed: gshard[:second=always|never");
    check("switch:2", "\"2\" is not an argument of switch; allowed: switch");
    check("hash:-1", "\"-1\" is not a value for seed of hash; allowed: a whole number, as in hash:42");
    check("noisy:2", "\"noisy:2\" is not a complete form of noisy; allowed: noisy:k=K,std=STD");
    check("soft_moe:1", "\"soft_moe\" is not a rule that assigns tokens to experts: it mixes; allowed: dense, switch");
    let error = parse_mixer("top_k:2").expect_err("a rule that assigns").to_string();
    assert!(
        error.starts_with("\"top_k\" is not a mixing rule; allowed: soft_moe[:slots=SLOTS], smear, meo:k=K"),
        "{error}"
    );
}

#[test]
fn rules_that_need_more_say_what_and_what_to_use_instead() {
    let check = |text: &str, needs: &str, instead: &str, in_rust: &str| {
        let expected = format!(
            "\"{text}\" is not a rule that can be run from gate logits, because it needs {needs}; \
             allowed: {instead} instead, or moe_router::{in_rust} in Rust"
        );
        assert_eq!(parse_router(text).expect_err(text).to_string(), expected);
        // Whatever arguments it was given.
        assert_eq!(parse_router(&format!(" {text} :k=2,8")).expect_err(text).to_string(), expected);
        // What it advises can be run.
        assert_eq!(router_text(&parse_router(instead).expect(instead)), instead);
    };
    check("attention", "the outputs of three gates", "top_k:2", "token_choice::attention");
    check("cosine", "hidden states, a projection and expert embeddings", "switch", "token_choice::cosine");
    check("dselect_k", "selector codes of a gate trained for it", "top_k:2", "token_choice::dselect_k");
    check("per_task", "a learned row of logits per task", "per_sequence:2", "token_choice::per_task");
    let thresholds = "a learned threshold per expert";
    check("expert_threshold", thresholds, "strictly_balanced:2", "group_choice::expert_threshold");
    check("thor", "two experts drawn for the whole step", "random", "token_choice::thor");
}

#[test]
fn every_form_says_truly_what_may_be_left_out() {
    for (rule, _) in with_text(Kind::Assigns).chain(with_text(Kind::Mixes)) {
        let is_enough = parse_router(rule.name).is_ok() || parse_mixer(rule.name).is_ok();
        let all_optional = rule.arguments().unwrap_or_default().iter().all(|argument| argument.optional);
        assert_eq!(is_enough, all_optional, "{}", rule.usage());
    }
}
