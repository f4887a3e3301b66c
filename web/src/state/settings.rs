//! What the reader has set: prompt, routing, group and generation, and the limits of each.

use std::ops::RangeInclusive;

use moe_trace::{Overflow, Policy, Priority, RouterSpec, RoutingGroup, RoutingSpec, RunId, RunRequest, Sampling};

use crate::attributes::Overrides;

pub const CAPACITY_FACTOR: RangeInclusive<f32> = 0.25..=4.0;
/// A prompt may be longer in its field, but it is not run: the model sees a few hundred tokens.
pub const MAX_PROMPT_CHARS: usize = 2000;
pub const NEW_TOKENS: RangeInclusive<u32> = 0..=256;
pub const TEMPERATURE: RangeInclusive<f32> = 0.1..=2.0;
pub const TOP_P: RangeInclusive<f32> = 0.05..=1.0;

/// Shown until a recorded run or an attribute brings another.
const FALLBACK_PROMPT: &str = "The cat sat on the mat and the dog";

/// Everything a run is made from, as the controls show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub prompt: String,
    pub k: u32,
    pub policy: Policy,
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
    K(u32),
    Policy(Policy),
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
            k: 2,
            policy: Policy::Drop,
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
        if let Some((k, policy, factor)) = menu_of(&request.routing) {
            settings.k = k;
            settings.policy = policy;
            settings.capacity_factor = factor.unwrap_or(settings.capacity_factor);
        }
        if let Sampling::Random { temperature, top_k, top_p } = request.sampling {
            settings = Settings { greedy: false, temperature, top_k, top_p, ..settings };
        }
        settings.with(overrides)
    }

    pub fn with(mut self, overrides: &Overrides) -> Settings {
        self.prompt = overrides.prompt.clone().unwrap_or(self.prompt);
        self.seed = overrides.seed.unwrap_or(self.seed);
        self.capacity_factor = overrides.capacity_factor.unwrap_or(self.capacity_factor);
        self.policy = overrides.policy.unwrap_or(self.policy);
        self.group = overrides.group.unwrap_or(self.group);
        self
    }

    /// Numbers are held within their ranges; not-a-number changes nothing.
    pub fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Prompt(prompt) => self.prompt = prompt,
            Setting::K(k) => self.k = k.max(1),
            Setting::Policy(policy) => self.policy = policy,
            Setting::CapacityFactor(factor) => hold(&mut self.capacity_factor, factor, CAPACITY_FACTOR),
            Setting::Group(group) => self.group = group,
            Setting::Seed(seed) => self.seed = seed,
            Setting::NewTokens(number) => self.new_tokens = number.clamp(*NEW_TOKENS.start(), *NEW_TOKENS.end()),
            Setting::Greedy(greedy) => self.greedy = greedy,
            Setting::Temperature(temperature) => hold(&mut self.temperature, temperature, TEMPERATURE),
            Setting::TopK(top_k) => self.top_k = top_k,
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
            self.policy = after.policy.unwrap_or(self.policy);
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

    /// The routing these controls stand for: the trained one itself where they describe it.
    pub fn routing(&self, trained: Option<&RoutingSpec>) -> RoutingSpec {
        if let Some(trained) = trained
            && let Some((k, policy, factor)) = menu_of(trained)
            && (k, policy) == (self.k, self.policy)
            && factor.is_none_or(|factor| factor == self.capacity_factor)
        {
            return *trained;
        }
        RoutingSpec::with_policy(self.k, self.policy, self.capacity_factor)
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

/// How the page's menus describe a routing: k, policy and, unless dropless, the capacity factor.
fn menu_of(spec: &RoutingSpec) -> Option<(u32, Policy, Option<f32>)> {
    let k = match spec.router {
        RouterSpec::Switch => 1,
        RouterSpec::TopK { k, .. } => k,
        RouterSpec::Gshard { .. } => 2,
        // The menus know no other rule.
        _ => return None,
    };
    Some(match (spec.router, spec.overflow) {
        (_, Overflow::Dropless) => (k, Policy::Dropless, None),
        (RouterSpec::Gshard { .. }, Overflow::Drop(slots)) => (k, Policy::RandomSecond, Some(slots.factor)),
        (_, Overflow::Drop(slots)) => match slots.priority {
            Priority::Position => (k, Policy::Drop, Some(slots.factor)),
            Priority::BprMax | Priority::BprSum => (k, Policy::Bpr, Some(slots.factor)),
            Priority::Random | Priority::RandomPerExpert | Priority::Probability => return None,
        },
    })
}

fn hold(target: &mut f32, value: f32, range: RangeInclusive<f32>) {
    if !value.is_nan() {
        *target = value.clamp(*range.start(), *range.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trained_routing_is_used_verbatim_where_the_controls_describe_it() {
        let trained = RoutingSpec { router: RouterSpec::Switch, ..RoutingSpec::default() };
        let mut settings = Settings { k: 1, ..Settings::default() };
        assert_eq!(settings.routing(Some(&trained)), trained);
        settings.set(Setting::CapacityFactor(2.0));
        assert_eq!(settings.routing(Some(&trained)), RoutingSpec::with_policy(1, Policy::Drop, 2.0));
    }

    #[test]
    fn a_request_and_its_settings_are_the_same_thing() {
        for policy in [Policy::Drop, Policy::Bpr, Policy::RandomSecond, Policy::Dropless] {
            for greedy in [true, false] {
                let settings = Settings { policy, greedy, seed: 3, new_tokens: 9, ..Settings::default() };
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
        settings.set(Setting::K(0));
        assert_eq!(settings.k, 1);
    }

    #[test]
    fn prompts_have_a_clear_limit() {
        let problem = |prompt: &str| Settings { prompt: prompt.to_owned(), ..Settings::default() }.prompt_problem();
        assert_eq!(problem(""), Some(PromptProblem::Empty));
        assert_eq!(problem(&"é".repeat(2000)), None);
        assert_eq!(problem(&"é".repeat(10_000)), Some(PromptProblem::TooLong { num_chars: 10_000 }));
    }
}
