//! What the reader has set: prompt, routing, changes inside the model, group and generation; and the models and rules
//! there are to choose from.

pub mod activate;
#[cfg(feature = "page")]
pub mod against;
pub mod attributes;
#[cfg(feature = "page")]
pub mod batch;
pub mod depth;
pub mod experiment;
pub mod interventions;
pub mod language;
#[cfg(feature = "page")]
pub mod lesson;
pub mod limits;
pub mod method;
pub mod micro_step;
pub mod models;
mod named;
pub mod offered;
pub mod overrides;
pub mod place;
pub mod routing_choice;
pub mod rule_form;
pub mod shown;
pub mod theme;
pub mod view;

use std::ops::RangeInclusive;

use moe_router::rules;
use moe_trace::{Overflow, Policy, RouterSpec, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling};

use crate::words::problems::Problem;
use interventions::Interventions;
use limits::{CAPACITY_FACTOR, MAX_PROMPT_CHARS, NEW_TOKENS, TEMPERATURE, TOP_K, TOP_P};
use overrides::Overrides;
use routing_choice::RoutingChoice;

/// Shown until a recorded run or an attribute brings another.
const FALLBACK_PROMPT: &str = "The cat sat on the mat and the dog";

/// Everything a run is made from, as the controls show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub prompt: String,
    pub routing: RoutingChoice,
    /// Laid on a routing that has slots, and kept while one has none.
    pub capacity_factor: f32,
    /// What is changed inside the model.
    pub interventions: Interventions,
    pub group: RoutingGroup,
    pub seed: u32,
    pub new_tokens: u32,
    pub greedy: bool,
    pub temperature: f32,
    /// 0 means all.
    pub top_k: u32,
    pub top_p: f32,
}

/// One change of one setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Setting {
    Prompt(String),
    /// Any rule, with its arguments.
    Rule(RouterSpec),
    /// Experts a token asks by top-k; `None` goes back to the rule the model was trained with.
    K(Option<u32>),
    /// `None` goes back to the policy the model was trained with.
    Policy(Option<Policy>),
    CapacityFactor(f32),
    Interventions(Interventions),
    Group(RoutingGroup),
    Seed(u32),
    NewTokens(u32),
    Greedy(bool),
    Temperature(f32),
    TopK(u32),
    TopP(f32),
}

/// Why a prompt cannot be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptProblem {
    Empty,
    TooLong {
        num_chars: usize,
    },
    /// For the model, whose tokenizer counted it.
    TooManyTokens {
        num_tokens: u32,
        max_tokens: u32,
    },
}

impl From<PromptProblem> for Problem {
    fn from(problem: PromptProblem) -> Problem {
        match problem {
            PromptProblem::Empty => Problem::PromptEmpty,
            PromptProblem::TooLong { num_chars } => Problem::PromptTooLong { num_chars, max_chars: MAX_PROMPT_CHARS },
            PromptProblem::TooManyTokens { num_tokens, max_tokens } => {
                Problem::PromptTooManyTokens { num_tokens, max_tokens }
            }
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            prompt: FALLBACK_PROMPT.to_owned(),
            routing: RoutingChoice::AsTrained,
            capacity_factor: 1.25,
            interventions: Interventions::default(),
            group: RoutingGroup::ThisText,
            seed: 7,
            new_tokens: 24,
            greedy: true,
            temperature: 0.8,
            top_k: 0,
            top_p: 0.95,
        }
    }
}

impl Setting {
    /// Does the change take effect at once, by running the model again?
    pub fn reruns(&self) -> bool {
        match self {
            Setting::Rule(_)
            | Setting::K(_)
            | Setting::Policy(_)
            | Setting::CapacityFactor(_)
            | Setting::Interventions(_)
            | Setting::Group(_) => true,
            Setting::Prompt(_)
            | Setting::Seed(_)
            | Setting::NewTokens(_)
            | Setting::Greedy(_)
            | Setting::Temperature(_)
            | Setting::TopK(_)
            | Setting::TopP(_) => false,
        }
    }

    /// Does it say how a layer routes? Another model brings its own, and is not changed inside.
    pub fn is_routing(&self) -> bool {
        matches!(
            self,
            Setting::Rule(_)
                | Setting::K(_)
                | Setting::Policy(_)
                | Setting::CapacityFactor(_)
                | Setting::Interventions(_)
        )
    }
}

/// `trained`, wherever it is asked for, is the routing that the model in question was trained with.
impl Settings {
    /// The settings that made this request, with what the page's author fixed laid over them.
    pub fn from_request(request: &RunRequest, overrides: &Overrides, trained: &RoutingSpec) -> Settings {
        let mut settings = Settings {
            interventions: Interventions::of(&request.interventions),
            group: request.group,
            seed: request.seed,
            new_tokens: request.max_new_tokens,
            ..Settings::default()
        };
        settings.set_prompt(request.prompt.clone());
        settings.show(&request.routing, trained);
        if let Sampling::Random { temperature, top_k, top_p } = request.sampling {
            settings = Settings { greedy: false, temperature, top_k, top_p, ..settings };
        }
        settings.with(overrides, trained)
    }

    pub fn with(mut self, overrides: &Overrides, trained: &RoutingSpec) -> Settings {
        for fixed in overrides.iter() {
            self.set(fixed.clone(), trained);
        }
        self
    }

    /// The controls as a model wants them that was trained with this routing. Prompt, seed and sampling stay.
    pub fn as_trained(mut self, trained: &RoutingSpec, overrides: &Overrides) -> Settings {
        self.show(trained, trained);
        self.interventions = Interventions::default();
        for fixed in overrides.iter().filter(|fixed| fixed.is_routing()) {
            self.set(fixed.clone(), trained);
        }
        if rules::facts(&trained.router).looks_ahead {
            // One token at a time there is no future to look at, and the engine refuses.
            self.group = RoutingGroup::ThisText;
        }
        self
    }

    /// Takes this routing for the reader's choice.
    pub fn show(&mut self, routing: &RoutingSpec, trained: &RoutingSpec) {
        self.routing = RoutingChoice::of(*routing, trained);
        if let Overflow::Drop(slots) = routing.overflow {
            self.capacity_factor = slots.factor;
        }
    }

    /// Numbers are held within their ranges; not-a-number changes nothing.
    pub fn set(&mut self, setting: Setting, trained: &RoutingSpec) {
        match setting {
            Setting::Prompt(prompt) => self.set_prompt(prompt),
            Setting::Rule(router) => self.routing = self.routing.with_rule(router, trained),
            Setting::K(k) => self.routing = self.routing.with_k(k, trained),
            Setting::Policy(policy) => self.routing = self.routing.with_policy(policy, trained),
            Setting::CapacityFactor(factor) => hold(&mut self.capacity_factor, factor, CAPACITY_FACTOR),
            Setting::Interventions(interventions) => self.interventions = interventions,
            Setting::Group(group) => self.group = group,
            Setting::Seed(seed) => self.seed = seed,
            Setting::NewTokens(number) => self.new_tokens = number.clamp(*NEW_TOKENS.start(), *NEW_TOKENS.end()),
            Setting::Greedy(greedy) => self.greedy = greedy,
            Setting::Temperature(temperature) => hold(&mut self.temperature, temperature, TEMPERATURE),
            Setting::TopK(top_k) => self.top_k = top_k.min(TOP_K),
            Setting::TopP(top_p) => hold(&mut self.top_p, top_p, TOP_P),
        }
    }

    /// Takes a text as its field can hold it: a line break there is one letter, whatever it was before. So the field
    /// shows what is run.
    pub fn set_prompt(&mut self, prompt: String) {
        self.prompt = if prompt.contains('\r') { prompt.replace("\r\n", "\n").replace('\r', "\n") } else { prompt };
    }

    /// Takes over the attributes that differ from before; what the reader set elsewhere stays. What is fixed no more goes
    /// back to its default.
    pub fn take_changes(&mut self, before: &Overrides, after: &Overrides, defaults: &Settings, trained: &RoutingSpec) {
        for gone in before.iter().filter(|gone| !after.fixes(gone)) {
            self.set(defaults.get(gone, trained), trained);
        }
        for fixed in after.iter().filter(|fixed| !before.iter().any(|known| known == *fixed)) {
            self.set(fixed.clone(), trained);
        }
    }

    /// The setting of the same kind as it is here.
    pub fn get(&self, kind: &Setting, trained: &RoutingSpec) -> Setting {
        let routing = self.routing.spec(trained);
        match kind {
            Setting::Prompt(_) => Setting::Prompt(self.prompt.clone()),
            Setting::Rule(_) => Setting::Rule(routing.router),
            Setting::K(_) => Setting::K(routing_choice::k(&routing)),
            Setting::Policy(_) => Setting::Policy(routing_choice::policy(&routing)),
            Setting::CapacityFactor(_) => Setting::CapacityFactor(self.capacity_factor),
            Setting::Interventions(_) => Setting::Interventions(self.interventions.clone()),
            Setting::Group(_) => Setting::Group(self.group),
            Setting::Seed(_) => Setting::Seed(self.seed),
            Setting::NewTokens(_) => Setting::NewTokens(self.new_tokens),
            Setting::Greedy(_) => Setting::Greedy(self.greedy),
            Setting::Temperature(_) => Setting::Temperature(self.temperature),
            Setting::TopK(_) => Setting::TopK(self.top_k),
            Setting::TopP(_) => Setting::TopP(self.top_p),
        }
    }

    /// What stands between this prompt and a run.
    pub fn prompt_problem(&self) -> Option<PromptProblem> {
        let num_chars = self.prompt.chars().count();
        match num_chars {
            0 => Some(PromptProblem::Empty),
            _ if num_chars > MAX_PROMPT_CHARS => Some(PromptProblem::TooLong { num_chars }),
            _ => None,
        }
    }

    /// The routing that is asked for.
    pub fn routing(&self, trained: &RoutingSpec) -> RoutingSpec {
        let mut spec = self.routing.spec(trained);
        if let Overflow::Drop(slots) = &mut spec.overflow {
            slots.factor = self.capacity_factor;
        }
        spec
    }

    pub fn request(&self, run: RunId, trained: &RoutingSpec) -> RunRequest {
        let sampling = if self.greedy {
            Sampling::Greedy
        } else {
            Sampling::Random { temperature: self.temperature, top_k: self.top_k, top_p: self.top_p }
        };
        RunRequest {
            run,
            companions: Vec::new(),
            interventions: self.interventions.to_vec(),
            prompt: self.prompt.clone(),
            max_new_tokens: self.new_tokens,
            sampling,
            routing: self.routing(trained),
            group: self.group,
            seed: self.seed,
        }
    }
}

fn hold(target: &mut f32, value: f32, range: RangeInclusive<f32>) {
    if !value.is_nan() {
        *target = value.clamp(*range.start(), *range.end());
    }
}

#[cfg(test)]
mod tests {
    use moe_trace::{CapacitySpec, Priority, RouterSpec};

    use super::*;

    #[test]
    fn the_trained_routing_is_used_verbatim_until_it_is_changed() {
        let trained = RoutingSpec { router: RouterSpec::Switch, ..RoutingSpec::default() };
        let mut settings = Settings::default();
        assert_eq!(settings.routing(&trained), trained);
        settings.set(Setting::CapacityFactor(2.0), &trained);
        let slots = CapacitySpec { factor: 2.0, ..CapacitySpec::default() };
        assert_eq!(settings.routing(&trained), RoutingSpec { overflow: Overflow::Drop(slots), ..trained });
        settings.set(Setting::K(Some(3)), &trained);
        assert_eq!(settings.routing(&trained), RoutingSpec::with_policy(3, Policy::Drop, 2.0));
        // A routing without slots has no factor; the slider's position is not lost.
        settings.set(Setting::Policy(Some(Policy::Dropless)), &trained);
        settings.set(Setting::Policy(Some(Policy::Drop)), &trained);
        assert_eq!(settings.routing(&trained), RoutingSpec::with_policy(3, Policy::Drop, 2.0));
    }

    #[test]
    fn as_trained_every_rule_is_itself_and_k_turns_it_into_top_k() {
        let drop = Overflow::Drop(CapacitySpec { factor: 1.5, ..CapacitySpec::default() });
        let by_lot = Overflow::Drop(CapacitySpec { priority: Priority::Random, ..CapacitySpec::default() });
        for (rule, example) in rules::all().filter_map(|rule| Some((rule, rule.example()?))) {
            let Ok(router) = rules::parse_router(example) else { continue };
            for overflow in [drop, by_lot, Overflow::Dropless] {
                let trained = RoutingSpec { router, overflow };
                let mut settings = Settings::default().as_trained(&trained, &Overrides::default());
                assert_eq!(settings.routing(&trained), trained, "{example}");
                assert!(!settings.group.eq(&RoutingGroup::DecodeStep));
                // A factor is a number, not a rule.
                settings.set(Setting::CapacityFactor(0.5), &trained);
                assert!(settings.routing(&trained).is_same_rule(&trained), "{example}");
                settings.set(Setting::K(Some(7)), &trained);
                settings.set(Setting::Policy(Some(Policy::Drop)), &trained);
                assert_eq!(settings.routing(&trained), RoutingSpec::with_policy(7, Policy::Drop, 0.5));
                settings.set(Setting::K(None), &trained);
                let own = settings.routing(&trained).router;
                // But for GShard, whose second expert the menu calls a policy.
                assert!(own == trained.router || rule.name == "gshard", "{example}");
            }
        }
    }

    #[test]
    fn a_rule_that_looks_ahead_takes_the_text_for_its_group() {
        let check = |rule: &str, group: RoutingGroup| {
            let trained =
                RoutingSpec { router: rules::parse_router(rule).expect("a rule"), overflow: Overflow::Dropless };
            let by_step = Settings { group: RoutingGroup::DecodeStep, ..Settings::default() };
            assert_eq!(by_step.as_trained(&trained, &Overrides::default()).group, group);
        };
        check("expert_choice:2", RoutingGroup::ThisText);
        check("per_sequence:2", RoutingGroup::ThisText);
        check("hash:0", RoutingGroup::DecodeStep);
    }

    #[test]
    fn a_request_and_its_settings_are_the_same_thing() {
        let trained = RoutingSpec::default();
        for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
            for greedy in [true, false] {
                let mut settings = Settings { greedy, seed: 3, new_tokens: 9, ..Settings::default() };
                settings.set(Setting::Policy(Some(policy)), &trained);
                settings.interventions = Interventions::parse("mute:0,1 noise:*,0.5").expect("two changes");
                let request = settings.request(RunId(1), &trained);
                assert_eq!(request.interventions.len(), 2);
                let back = Settings::from_request(&request, &Overrides::default(), &trained);
                assert_eq!(back.request(RunId(1), &trained), request);
            }
        }
    }

    #[test]
    fn numbers_stay_within_their_ranges() {
        let (mut settings, trained) = (Settings::default(), RoutingSpec::default());
        settings.set(Setting::CapacityFactor(99.0), &trained);
        assert_eq!(settings.capacity_factor, 4.0);
        settings.set(Setting::CapacityFactor(f32::NAN), &trained);
        assert_eq!(settings.capacity_factor, 4.0);
        settings.set(Setting::NewTokens(1_000_000), &trained);
        assert_eq!(settings.new_tokens, 256);
        settings.set(Setting::K(Some(0)), &trained);
        assert_eq!(rules::facts(&settings.routing(&trained).router).k(8), 1);
    }

    /// Whatever text arrives, and by whatever way, the run's is the one that a text field holds.
    #[test]
    fn field_and_run_hold_the_same_text() {
        let trained = RoutingSpec::default();
        let check = |text: &str, held: &str| {
            let mut settings = Settings::default();
            settings.set(Setting::Prompt(text.to_owned()), &trained);
            let request = settings.request(RunId(1), &trained);
            assert_eq!((settings.prompt.as_str(), request.prompt.as_str()), (held, held), "{text:?}");
            let request = RunRequest { prompt: text.to_owned(), ..request };
            assert_eq!(Settings::from_request(&request, &Overrides::default(), &trained).prompt, held, "{text:?}");
        };
        check("a\r\nb\rc\nd", "a\nb\nc\nd");
        check("\r\r\n", "\n\n");
        for same in ["\0", "\u{feff}The", "\u{fffd}", "\u{2028}", "\u{202e}", "é", "e\u{301}", " ", "\t\u{85}"] {
            check(same, same);
        }
    }

    #[test]
    fn prompts_have_a_clear_limit() {
        let problem = |prompt: &str| Settings { prompt: prompt.to_owned(), ..Settings::default() }.prompt_problem();
        assert_eq!(problem(""), Some(PromptProblem::Empty));
        assert_eq!(problem(&"é".repeat(20_000)), None);
        assert_eq!(problem(&"é".repeat(20_001)), Some(PromptProblem::TooLong { num_chars: 20_001 }));
    }
}
