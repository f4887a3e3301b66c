//! What holds for every text: no text panics the parser, what a spec prints or serialises is read back as itself, and
//! errors name the offending part.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use moe_trace::{
    BaseSolver, MIXER_FORMS, MixerSpec, NOT_FROM_GATE_LOGITS, NeedsMore, Normalise, ParseSpecError, ROUTER_FORMS,
    RouterSpec, SecondExpert, SharedGate, SinkhornChoice, Weighting,
};
use proptest::prelude::*;

fn router_spec() -> impl Strategy<Value = RouterSpec> {
    let k = any::<u32>;
    let x = || prop_oneof![any::<f32>().prop_filter("JSON has finite numbers only", |x| x.is_finite()), 0.0_f32..2.0];
    let weighting = prop_oneof![
        Just(Weighting::Raw),
        Just(Weighting::Norm),
        Just(Weighting::SoftmaxAfter),
        x().prop_map(|p| Weighting::PNorm { p }),
    ];
    let second = prop_oneof![
        Just(SecondExpert::Always),
        Just(SecondExpert::Never),
        Just(SecondExpert::Proportional),
        Just(SecondExpert::Sampled),
        x().prop_map(|threshold| SecondExpert::Threshold { threshold }),
        x().prop_map(|threshold| SecondExpert::Random { threshold }),
    ];
    let normalise = prop_oneof![Just(Normalise::BeforeDrop), Just(Normalise::AfterDrop)];
    let choice = prop_oneof![Just(SinkhornChoice::Balanced), Just(SinkhornChoice::Greedy)];
    let solver = prop_oneof![Just(BaseSolver::Auction), Just(BaseSolver::Exact), Just(BaseSolver::Greedy)];
    let first = prop_oneof![
        Just(RouterSpec::Dense),
        Just(RouterSpec::Switch),
        (k(), weighting).prop_map(|(k, weighting)| RouterSpec::TopK { k, weighting }),
        (second, normalise).prop_map(|(second, normalise)| RouterSpec::Gshard { second, normalise }),
        (k(), x()).prop_map(|(k, std)| RouterSpec::Noisy { k, std }),
        (k(), x()).prop_map(|(k, lambda)| RouterSpec::LogitNorm { k, lambda }),
        (x(), x()).prop_map(|(temperature, threshold)| RouterSpec::DenseToSparse { temperature, threshold }),
        (k(), k(), k(), x()).prop_map(|(k, groups, kept, scale)| RouterSpec::Deepseek { k, groups, kept, scale }),
        (k(), k(), k(), x()).prop_map(|(k, groups, kept, scale)| RouterSpec::DeepseekV2 { k, groups, kept, scale }),
    ];
    let second = prop_oneof![
        x().prop_map(|threshold| RouterSpec::TopP { threshold }),
        Just(RouterSpec::Relu),
        x().prop_map(|threshold| RouterSpec::TopAny { threshold }),
        (k(), k()).prop_map(|(k, nulls)| RouterSpec::NullExperts { k, nulls }),
        (k(), k(), k()).prop_map(|(groups, k_groups, k_within)| RouterSpec::Hierarchical {
            groups,
            k_groups,
            k_within
        }),
        k().prop_map(|count| RouterSpec::Prototypes { count }),
        k().prop_map(|k| RouterSpec::PerSequence { k }),
        k().prop_map(|seed| RouterSpec::Hash { seed }),
    ];
    let third = prop_oneof![
        Just(RouterSpec::BalancedHash),
        Just(RouterSpec::Random),
        x().prop_map(|average| RouterSpec::ExpertChoice { average }),
        k().prop_map(|k| RouterSpec::StrictlyBalanced { k }),
        (k(), choice).prop_map(|(k, choice)| RouterSpec::Sinkhorn { k, choice }),
        solver.prop_map(|solver| RouterSpec::Base { solver }),
        k().prop_map(|tries| RouterSpec::NoTokenLeftBehind { tries }),
    ];
    prop_oneof![first, second, third]
}

fn mixer_spec() -> impl Strategy<Value = MixerSpec> {
    prop_oneof![
        any::<u32>().prop_map(|slots| MixerSpec::SoftMoe { slots }),
        Just(MixerSpec::Smear),
        any::<u32>().prop_map(|k| MixerSpec::Meo { k }),
        any::<u32>().prop_map(|segment| MixerSpec::Lory { segment }),
        any::<Option<u32>>().prop_map(|k| MixerSpec::Molora { k }),
        Just(MixerSpec::Mov),
        Just(MixerSpec::Loramoe),
        Just(MixerSpec::Mixlora),
        Just(MixerSpec::Shared { gate: SharedGate::None }),
        Just(MixerSpec::Shared { gate: SharedGate::Sigmoid }),
    ]
}

/// Any text, and texts that look like rules: heads, keys, words and numbers in any order.
fn text() -> impl Strategy<Value = String> {
    let heads = ROUTER_FORMS.iter().chain(MIXER_FORMS).map(|form| form.head.to_owned());
    let keys = ROUTER_FORMS.iter().flat_map(|form| form.arguments).map(|argument| format!("{}=", argument.key));
    let words = [":", ",", "=", "raw", "after", "greedy", "2", "-1", "0.5", "1e999", "NaN", " ", "é", "4294967296"];
    let pieces: Vec<String> = heads.chain(keys).chain(words.map(str::to_owned)).collect();
    let of_pieces = prop::collection::vec(prop::sample::select(pieces), 0..9).prop_map(|pieces| pieces.concat());
    prop_oneof![any::<String>(), of_pieces]
}

fn check_round_trips<Spec>(spec: Spec) -> Result<(), TestCaseError>
where
    Spec: Copy + Debug + Display + PartialEq + FromStr<Err = ParseSpecError>,
    Spec: serde::Serialize + for<'de> serde::Deserialize<'de>,
{
    prop_assert_eq!(spec.to_string().parse(), Ok(spec));
    let json = serde_json::to_string(&spec).expect("serialises");
    prop_assert_eq!(serde_json::from_str::<Spec>(&json).expect("parses"), spec);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics_and_what_parses_prints_back(text in text()) {
        if let Ok(spec) = text.parse::<RouterSpec>() {
            prop_assert_eq!(spec.to_string().parse(), Ok(spec));
        }
        if let Ok(spec) = text.parse::<MixerSpec>() {
            prop_assert_eq!(spec.to_string().parse(), Ok(spec));
        }
    }

    #[test]
    fn rules_that_assign_survive_text_and_json(spec in router_spec()) {
        check_round_trips(spec)?;
    }

    #[test]
    fn rules_that_mix_survive_text_and_json(spec in mixer_spec()) {
        check_round_trips(spec)?;
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
        assert_eq!(text.parse::<RouterSpec>().expect(text).to_string(), text);
    }
    for form in ROUTER_FORMS {
        assert_eq!(form.example.parse::<RouterSpec>().expect(form.example).to_string(), form.example);
    }
    for form in MIXER_FORMS {
        assert_eq!(form.example.parse::<MixerSpec>().expect(form.example).to_string(), form.example);
    }
}

#[test]
fn many_texts_one_rule() {
    let check = |text: &str, printed: &str| assert_eq!(text.parse::<RouterSpec>().expect(text).to_string(), printed);
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
        let error = text.parse::<RouterSpec>().expect_err(text).to_string();
        assert!(error.starts_with(message), "{error}");
    };
    check(
        "topk:2",
        "\"topk\" is no routing rule; allowed: dense, switch, top_k:k=K[,weighting=norm|raw|softmax_after]",
    );
    check("top_k:two", "\"two\" is no value for k of top_k; allowed: a whole number, as in top_k:2");
    check("top_k:2,half", "\"half\" is no free argument of top_k; allowed: top_k:k=K[,weighting=");
    check("top_k:2,k=3", "\"k=3\" is no free argument of top_k; allowed: top_k:k=K");
    check("top_k:2,weighting=half", "\"half\" is no weighting of top_k; allowed: norm, raw, softmax_after");
    check("top_k:2,p=inf", "\"inf\" is no value for p of top_k; allowed: a finite number, as in top_k:2");
    check("top_k:raw", "\"top_k:raw\" is no complete form of top_k; allowed: top_k:k=K");
    let weighting =
        "\"weighting=raw,p=3\" is no pair of arguments of top_k that go together; allowed: one of them in top_k:k=K";
    check("top_k:2,raw,p=3", weighting);
    let second = "\"second=never,random=0.2\" is no pair of arguments of gshard that go together; allowed: one of them in gshard";
    check("gshard:never,random=0.2", second);
    check("gshard:threshold=1,random=1,after", "\"threshold=1,random=1\" is no pair of arguments of gshard that");
    check("gshard:often", "\"often\" is no free argument of gshard; allowed: gshard[:second=always|never");
    check("switch:2", "\"2\" is no argument of switch; allowed: switch");
    check("hash:-1", "\"-1\" is no value for seed of hash; allowed: a whole number, as in hash:42");
    check("noisy:2", "\"noisy:2\" is no complete form of noisy; allowed: noisy:k=K,std=STD");
    check("soft_moe:1", "\"soft_moe\" is no rule that assigns tokens to experts: it mixes; allowed: dense, switch");
    let error = "top_k:2".parse::<MixerSpec>().expect_err("a rule that assigns").to_string();
    assert!(
        error.starts_with("\"top_k\" is no mixing rule; allowed: soft_moe[:slots=SLOTS], smear, meo:k=K"),
        "{error}"
    );
}

#[test]
fn rules_that_need_more_say_what_and_what_to_use_instead() {
    let check = |text: &str, needs: &str, instead: &str, in_rust: &str| {
        let expected = format!(
            "\"{text}\" is no rule that can be run from gate logits, because it needs {needs}; \
             allowed: {instead} instead, or moe_router::{in_rust} in Rust"
        );
        assert_eq!(text.parse::<RouterSpec>().expect_err(text).to_string(), expected);
        // Whatever arguments it was given.
        assert_eq!(format!(" {text} :k=2,8").parse::<RouterSpec>().expect_err(text).to_string(), expected);
        // What it advises can be run.
        assert_eq!(instead.parse::<RouterSpec>().expect(instead).to_string(), instead);
    };
    check("attention", "the outputs of three gates", "top_k:2", "token_choice::attention");
    check("cosine", "hidden states, a projection and expert embeddings", "switch", "token_choice::cosine");
    check("dselect_k", "selector codes of a gate trained for it", "top_k:2", "token_choice::dselect_k");
    check("per_task", "a learned row of logits per task", "per_sequence:2", "token_choice::per_sequence");
    let thresholds = "a learned threshold per expert";
    check("expert_threshold", thresholds, "strictly_balanced:2", "group_choice::strictly_balanced");
    check("thor", "two experts drawn for the whole step", "random", "token_choice::random");
    assert_eq!(NOT_FROM_GATE_LOGITS.len(), 6);
}

#[test]
fn every_form_says_truly_what_may_be_left_out() {
    for form in ROUTER_FORMS {
        let is_enough = form.head.parse::<RouterSpec>().is_ok();
        assert_eq!(is_enough, form.arguments.iter().all(|argument| argument.optional), "{form}");
    }
    for form in MIXER_FORMS {
        let is_enough = form.head.parse::<MixerSpec>().is_ok();
        assert_eq!(is_enough, form.arguments.iter().all(|argument| argument.optional), "{form}");
    }
    for NeedsMore { name, .. } in NOT_FROM_GATE_LOGITS {
        assert!(
            ROUTER_FORMS.iter().chain(MIXER_FORMS).all(|form| form.head != *name),
            "{name} has a form and has none"
        );
    }
}
