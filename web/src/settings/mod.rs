//! What the reader has set: prompt, routing, group and generation; and the models there are to choose from.

pub mod attributes;
pub mod limits;
pub mod models;
pub mod overrides;
mod routing_menu;
pub mod view;

use std::ops::RangeInclusive;

use moe_trace::{Overflow, Policy, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling};

use limits::{CAPACITY_FACTOR, MAX_PROMPT_CHARS, NEW_TOKENS, TEMPERATURE, TOP_K, TOP_P};
use overrides::Overrides;
use routing_menu::RoutingMenu;

/// Shown until a recorded run or an attribute brings another.
const FALLBACK_PROMPT: &str = "The cat sat on the mat and the dog";

/// Everything a run is made from, as the controls show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub prompt: String,
    /// Experts a token asks by top-k; `None` leaves the choice to the rule the model was trained with.
    pub k: Option<u32>,
    /// `None` stands for the trained policy, where the menu has no name for it.
    pub policy: Option<Policy>,
    pub capacity_factor: f32,
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
    K(Option<u32>),
    Policy(Option<Policy>),
    CapacityFactor(f32),
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
    TooLong { num_chars: usize },
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            prompt: FALLBACK_PROMPT.to_owned(),
            k: Some(2),
            policy: Some(Policy::Drop),
            capacity_factor: 1.25,
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
        matches!(self, Setting::K(_) | Setting::Policy(_) | Setting::CapacityFactor(_) | Setting::Group(_))
    }
}

impl Settings {
    /// The settings that made this request, with what the page's author fixed laid over them.
    pub fn from_request(request: &RunRequest, overrides: &Overrides) -> Settings {
        let mut settings = Settings {
            prompt: request.prompt.clone(),
            group: request.group,
            seed: request.seed,
            new_tokens: request.max_new_tokens,
            ..Settings::default()
        };
        settings.show(&request.routing);
        if let Sampling::Random { temperature, top_k, top_p } = request.sampling {
            settings = Settings { greedy: false, temperature, top_k, top_p, ..settings };
        }
        settings.with(overrides)
    }

    pub fn with(mut self, overrides: &Overrides) -> Settings {
        self.prompt = overrides.prompt.clone().unwrap_or(self.prompt);
        self.seed = overrides.seed.unwrap_or(self.seed);
        self.capacity_factor = overrides.capacity_factor.unwrap_or(self.capacity_factor);
        self.policy = overrides.policy.or(self.policy);
        self.group = overrides.group.unwrap_or(self.group);
        self
    }

    /// The controls as a model wants them that was trained with this routing. Prompt, seed and sampling stay.
    pub fn as_trained(mut self, trained: &RoutingSpec, overrides: &Overrides) -> Settings {
        self.show(trained);
        self.capacity_factor = overrides.capacity_factor.unwrap_or(self.capacity_factor);
        self.policy = overrides.policy.or(self.policy);
        if trained.router.uses_the_future() {
            // One token at a time there is no future to look at, and the engine refuses.
            self.group = RoutingGroup::ThisText;
        }
        self
    }

    /// Sets the routing's controls to what describes this routing.
    pub fn show(&mut self, routing: &RoutingSpec) {
        let menu = RoutingMenu::of(routing);
        self.k = menu.k;
        self.policy = menu.policy;
        if let Overflow::Drop(slots) = routing.overflow {
            self.capacity_factor = slots.factor;
        }
    }

    /// Numbers are held within their ranges; not-a-number changes nothing.
    pub fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Prompt(prompt) => self.prompt = prompt,
            Setting::K(k) => self.k = k.map(|k| k.max(1)),
            Setting::Policy(policy) => self.policy = policy,
            Setting::CapacityFactor(factor) => hold(&mut self.capacity_factor, factor, CAPACITY_FACTOR),
            Setting::Group(group) => self.group = group,
            Setting::Seed(seed) => self.seed = seed,
            Setting::NewTokens(number) => self.new_tokens = number.clamp(*NEW_TOKENS.start(), *NEW_TOKENS.end()),
            Setting::Greedy(greedy) => self.greedy = greedy,
            Setting::Temperature(temperature) => hold(&mut self.temperature, temperature, TEMPERATURE),
            Setting::TopK(top_k) => self.top_k = top_k.min(TOP_K),
            Setting::TopP(top_p) => hold(&mut self.top_p, top_p, TOP_P),
        }
    }

    /// Takes over the attributes that differ from before; what the reader set elsewhere stays.
    pub fn take_changes(&mut self, before: &Overrides, after: &Overrides) {
        if before.prompt != after.prompt
            && let Some(prompt) = &after.prompt
        {
            self.prompt.clone_from(prompt);
        }
        if before.seed != after.seed {
            self.seed = after.seed.unwrap_or(self.seed);
        }
        if before.capacity_factor != after.capacity_factor {
            self.capacity_factor = after.capacity_factor.unwrap_or(self.capacity_factor);
        }
        if before.policy != after.policy {
            self.policy = after.policy.or(self.policy);
        }
        if before.group != after.group {
            self.group = after.group.unwrap_or(self.group);
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

    /// The routing these controls stand for. What they leave as the model was trained stays exactly as it was.
    pub fn routing(&self, trained: Option<&RoutingSpec>) -> RoutingSpec {
        let trained = trained.copied().unwrap_or_default();
        let own = RoutingMenu::of(&trained);
        let k = self.k.or(own.k).unwrap_or_else(|| RoutingSpec::default().router.k(1) as u32);
        let policy = self.policy.or(own.policy).unwrap_or_default();
        let other = RoutingSpec::with_policy(k, policy, self.capacity_factor);
        // GShard's random second expert is a rule of its own in the guise of a policy.
        let is_pair = |policy| policy == Some(Policy::RandomSecond);
        let keeps_policy = self.policy.is_none() || self.policy == own.policy;
        let keeps_rule = is_pair(Some(policy)) == is_pair(own.policy) && (self.k.is_none() || self.k == own.k);
        let mut overflow = if keeps_policy { trained.overflow } else { other.overflow };
        if let Overflow::Drop(slots) = &mut overflow {
            slots.factor = self.capacity_factor;
        }
        RoutingSpec { router: if keeps_rule { trained.router } else { other.router }, overflow }
    }

    /// Is the trained rule one that k cannot describe, so that "as trained" is a choice of its own?
    pub fn has_own_rule(trained: Option<&RoutingSpec>) -> bool {
        trained.is_some_and(|trained| RoutingMenu::of(trained).k.is_none())
    }

    /// Is the trained policy one that the menu has no name for?
    pub fn has_own_policy(trained: Option<&RoutingSpec>) -> bool {
        trained.is_some_and(|trained| RoutingMenu::of(trained).policy.is_none())
    }

    pub fn request(&self, run: RunId, trained: Option<&RoutingSpec>) -> RunRequest {
        let sampling = if self.greedy {
            Sampling::Greedy
        } else {
            Sampling::Random { temperature: self.temperature, top_k: self.top_k, top_p: self.top_p }
        };
        RunRequest {
            run,
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
    fn the_trained_routing_is_used_verbatim_where_the_controls_describe_it() {
        let trained = RoutingSpec { router: RouterSpec::Switch, ..RoutingSpec::default() };
        let mut settings = Settings { k: Some(1), ..Settings::default() };
        assert_eq!(settings.routing(Some(&trained)), trained);
        settings.set(Setting::CapacityFactor(2.0));
        let slots = CapacitySpec { factor: 2.0, ..CapacitySpec::default() };
        assert_eq!(settings.routing(Some(&trained)), RoutingSpec { overflow: Overflow::Drop(slots), ..trained });
        settings.set(Setting::K(Some(3)));
        assert_eq!(settings.routing(Some(&trained)), RoutingSpec::with_policy(3, Policy::Drop, 2.0));
    }

    #[test]
    fn as_trained_every_rule_is_itself_and_k_turns_it_into_top_k() {
        let drop = Overflow::Drop(CapacitySpec { factor: 1.5, ..CapacitySpec::default() });
        let by_lot = Overflow::Drop(CapacitySpec { priority: Priority::Random, ..CapacitySpec::default() });
        for form in moe_trace::ROUTER_FORMS {
            for overflow in [drop, by_lot, Overflow::Dropless] {
                let trained = RoutingSpec { router: form.example.parse().expect("an example"), overflow };
                let mut settings = Settings::default().as_trained(&trained, &Overrides::default());
                assert_eq!(settings.routing(Some(&trained)), trained, "{}", form.example);
                assert!(!settings.group.eq(&RoutingGroup::DecodeStep));
                // A factor is a number, not a rule.
                settings.set(Setting::CapacityFactor(0.5));
                assert!(settings.routing(Some(&trained)).is_same_rule(&trained), "{}", form.example);
                settings.set(Setting::K(Some(7)));
                settings.set(Setting::Policy(Some(Policy::Drop)));
                assert_eq!(settings.routing(Some(&trained)), RoutingSpec::with_policy(7, Policy::Drop, 0.5));
                settings.set(Setting::K(None));
                let own = settings.routing(Some(&trained)).router;
                // But for GShard, whose second expert the menu calls a policy.
                assert!(own == trained.router || form.head == "gshard", "{}", form.example);
            }
        }
    }

    #[test]
    fn a_rule_that_looks_ahead_takes_the_text_for_its_group() {
        let check = |rule: &str, group: RoutingGroup| {
            let trained = RoutingSpec { router: rule.parse().expect("a rule"), overflow: Overflow::Dropless };
            let by_step = Settings { group: RoutingGroup::DecodeStep, ..Settings::default() };
            assert_eq!(by_step.as_trained(&trained, &Overrides::default()).group, group);
        };
        check("expert_choice:2", RoutingGroup::ThisText);
        check("per_sequence:2", RoutingGroup::ThisText);
        check("hash:0", RoutingGroup::DecodeStep);
    }

    #[test]
    fn a_request_and_its_settings_are_the_same_thing() {
        for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
            for greedy in [true, false] {
                let settings = Settings { policy: Some(policy), greedy, seed: 3, new_tokens: 9, ..Settings::default() };
                let request = settings.request(RunId(1), None);
                let back = Settings::from_request(&request, &Overrides::default());
                assert_eq!(back.request(RunId(1), None), request);
            }
        }
    }

    #[test]
    fn numbers_stay_within_their_ranges() {
        let mut settings = Settings::default();
        settings.set(Setting::CapacityFactor(99.0));
        assert_eq!(settings.capacity_factor, 4.0);
        settings.set(Setting::CapacityFactor(f32::NAN));
        assert_eq!(settings.capacity_factor, 4.0);
        settings.set(Setting::NewTokens(1_000_000));
        assert_eq!(settings.new_tokens, 256);
        settings.set(Setting::K(Some(0)));
        assert_eq!(settings.k, Some(1));
    }

    #[test]
    fn prompts_have_a_clear_limit() {
        let problem = |prompt: &str| Settings { prompt: prompt.to_owned(), ..Settings::default() }.prompt_problem();
        assert_eq!(problem(""), Some(PromptProblem::Empty));
        assert_eq!(problem(&"é".repeat(2000)), None);
        assert_eq!(problem(&"é".repeat(10_000)), Some(PromptProblem::TooLong { num_chars: 10_000 }));
    }
}
