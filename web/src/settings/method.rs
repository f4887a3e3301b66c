//! Any routing method of `moe-router`, to be tried on what a run recorded: one that assigns tokens, one that mixes, or one
//! that needs more than gate logits and is only told of.

use moe_router::rule::{Rule, Run};
use moe_router::{Mixer, Router, rules};
use moe_trace::{MixerSpec, Overflow, RouterSpec, RoutingGroup, RoutingSpec};

use crate::settings::rule_form::{self, Written};
use crate::words::tongue;

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    Assigns(RouterSpec),
    Mixes(MixerSpec),
    /// By its name: no text has its numbers.
    Told(&'static str),
}

impl Method {
    /// All of them, in the order of the table of rules, each with the numbers of its example.
    pub fn all() -> impl Iterator<Item = Method> {
        rules::all().map(Method::of)
    }

    /// With the numbers of the rule's example.
    pub fn of(rule: &'static Rule) -> Method {
        rule.example().and_then(Method::parse).unwrap_or(Method::Told(rule.name))
    }

    /// `top_k:2`, `soft_moe:1`, `thor`.
    pub fn parse(text: &str) -> Option<Method> {
        let assigns = || rules::parse_router(text).ok().map(Method::Assigns);
        let mixes = || rules::parse_mixer(text).ok().map(Method::Mixes);
        let told =
            || rules::find(text.trim()).filter(|rule| rule.example().is_none()).map(|rule| Method::Told(rule.name));
        assigns().or_else(mixes).or_else(told)
    }

    /// Its declaration.
    pub fn rule(&self) -> &'static Rule {
        match self {
            Method::Assigns(spec) => rules::of(spec),
            Method::Mixes(spec) => rules::of_mixer(spec),
            Method::Told(name) => rules::find(name).expect("a name of the table of rules"),
        }
    }

    /// The text that is read as this method.
    pub fn text(&self) -> String {
        match self {
            Method::Assigns(spec) => rules::router_text(spec),
            Method::Mixes(spec) => rules::mixer_text(spec),
            Method::Told(name) => (*name).to_owned(),
        }
    }

    /// Why the model cannot run it in a layer of so many experts, where each step routes such a group: a sentence without
    /// its full stop.
    pub fn obstacle(&self, num_experts: usize, group: RoutingGroup) -> Option<String> {
        match (self, self.rule().run) {
            (Method::Assigns(spec), _) => rule_form::obstacle(spec, num_experts, group),
            (Method::Mixes(_), _) => {
                Some(say!("The engine runs rules that send tokens to experts, and this one blends them").into_owned())
            }
            (Method::Told(_), Run::InRust(in_rust)) => Some(say!(
                "It needs {needs}, which gate logits do not tell; {instead} comes nearest",
                needs = tongue::translated(self.rule().needs),
                instead = in_rust.instead
            )),
            (Method::Told(_), _) => None,
        }
    }
}

impl Method {
    /// Why it makes no sense for a gate of so many columns: a sentence without its full stop.
    pub fn refused(&self, num_experts: usize) -> Option<String> {
        let error = match *self {
            Method::Assigns(router) => {
                let routing = RoutingSpec { router, overflow: Overflow::Dropless };
                Router::new(routing, num_experts).err()
            }
            Method::Mixes(mixer) => Mixer::new(mixer, num_experts).err(),
            Method::Told(_) => None,
        };
        error.map(|error| error.to_string().trim_end_matches('.').to_owned())
    }
}

impl Written for Method {
    fn rule(&self) -> &'static Rule {
        Method::rule(self)
    }

    fn text(&self) -> String {
        Method::text(self)
    }

    fn read(text: &str) -> Option<Method> {
        Method::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_a_method_and_its_text_is_read_again() {
        assert_eq!(Method::all().count(), rules::all().count());
        for method in Method::all() {
            assert_eq!(Method::parse(&method.text()), Some(method), "{}", method.text());
        }
        assert_eq!(Method::parse("best"), None);
        assert_eq!(Method::parse("thor"), Some(Method::Told("thor")));
    }

    #[test]
    fn a_method_that_cannot_run_says_why() {
        let check = |text: &str, why: Option<&str>| {
            let found = Method::parse(text).expect(text).obstacle(8, RoutingGroup::ThisText);
            assert_eq!(found.is_some(), why.is_some(), "{text}: {found:?}");
            assert!(found.unwrap_or_default().contains(why.unwrap_or_default()), "{text}");
        };
        check("top_k:2", None);
        check("expert_choice:2", None);
        check("top_k:9", Some("9"));
        check("soft_moe:1", Some("blends"));
        check("thor", Some("two experts drawn"));
        check("balanced_hash", Some("how often"));
        let refused = |text: &str| Method::parse(text).expect(text).refused(8);
        assert_eq!((refused("soft_moe:2"), refused("top_k:8")), (None, None));
        assert!(refused("soft_moe:3").is_some() && refused("top_k:9").is_some());
    }
}
