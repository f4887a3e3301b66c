//! What stands on the screen, said as attributes: what a link holds, what `getState()` gives, and what `setState()` takes.

use moe_trace::RoutingSpec;

use crate::settings::Settings;
use crate::settings::attributes::ATTRIBUTES;
use crate::settings::depth::Depth;
use crate::settings::experiment::Experiment;
use crate::settings::method::Method;
use crate::settings::micro_step::MicroStep;
use crate::settings::place::Place;
use crate::settings::theme::Theme;
use crate::settings::view::View;
use crate::words::tongue::Language;

/// The version of a link. Readers take this one and every older.
pub const LINK_VERSION: &str = "1";

/// The picture, as far as attributes can say it.
pub struct Shown<'a> {
    /// The panels of a figure; of the page nothing is said.
    pub view: Option<&'a View>,
    pub model: Option<&'a str>,
    pub trace: Option<&'a str>,
    pub settings: &'a Settings,
    /// The settings of a page with no attribute at all: they need no words.
    pub defaults: &'a Settings,
    /// The routing that the model in question was trained with.
    pub trained: &'a RoutingSpec,
    pub depth: Depth,
    pub method: Option<Method>,
    pub theme: Theme,
    /// Where it was asked for.
    pub language: Option<Language>,
    /// What the run on the screen is compared with, where a text says it.
    #[cfg(feature = "page")]
    pub against: Option<String>,
    /// The texts that are run in step, where the reader chose some.
    pub batch: Option<&'a [String]>,
    /// Of the policy lab, where the reader chose one.
    pub lab_factor: Option<f32>,
    /// Of the time machine, where the reader chose one.
    pub moment: Option<u32>,
    pub place: Place,
    pub experiment: Experiment,
    pub micro_step: MicroStep,
    /// The lesson that is open.
    pub lesson: Option<&'a str>,
}

#[cfg(feature = "page")]
impl<'a> Shown<'a> {
    /// What of some settings is other than in others, and nothing else.
    pub fn of_settings(settings: &'a Settings, defaults: &'a Settings, trained: &'a RoutingSpec) -> Shown<'a> {
        Shown {
            view: None,
            model: None,
            trace: None,
            settings,
            defaults,
            trained,
            depth: Depth::default(),
            method: None,
            theme: Theme::default(),
            language: None,
            against: None,
            batch: None,
            lab_factor: None,
            moment: None,
            place: Place::default(),
            experiment: Experiment::default(),
            micro_step: MicroStep::default(),
            lesson: None,
        }
    }
}

impl Shown<'_> {
    /// Name and text of every attribute that is not at its default, in the order of the table.
    pub fn attributes(&self) -> Vec<(&'static str, String)> {
        let told = |attribute: &'static crate::settings::attributes::Attribute| {
            Some((attribute.name, (attribute.told)(self)?))
        };
        ATTRIBUTES.iter().filter_map(told).collect()
    }

    /// The same after the `#` of an address: `v=1&capacity-factor=0.5&token=12`.
    pub fn link(&self) -> String {
        let mut link = format!("v={LINK_VERSION}");
        for (name, text) in self.attributes() {
            link.push_str(&format!("&{name}={}", encoded(&text)));
        }
        link
    }

    /// One side of the settings, where it is not the default.
    pub fn changed<T: PartialEq>(&self, side: impl Fn(&Settings) -> T) -> Option<T> {
        let value = side(self.settings);
        (value != side(self.defaults)).then_some(value)
    }
}

/// As `encodeURIComponent` does it; by hand, since links are drawn natively too.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'(' | b')' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_an_address_is_encoded() {
        assert_eq!(encoded("a b&c=d+e#f%"), "a%20b%26c%3Dd%2Be%23f%25");
        assert_eq!(encoded("é🙂"), "%C3%A9%F0%9F%99%82");
        assert_eq!(encoded("top_k:2,norm"), "top_k%3A2%2Cnorm");
    }
}
