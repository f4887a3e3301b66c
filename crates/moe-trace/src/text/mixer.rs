//! `soft_moe:1` and a [`MixerSpec`] are the same thing.

use std::fmt;
use std::str::FromStr;

use crate::spec::{MixerSpec, SharedGate};
use crate::text::arguments::Arguments;
use crate::text::form::{Argument, Form};
use crate::text::{ParseSpecError, unknown};

/// Every rule of [`MixerSpec`], in the order of its variants.
pub const MIXER_FORMS: &[Form] = &[
    Form { head: "soft_moe", arguments: &[Argument::count("slots").optional()], example: "soft_moe:1" },
    Form { head: "smear", arguments: &[], example: "smear" },
    Form { head: "meo", arguments: &[Argument::count("k")], example: "meo:2" },
    Form { head: "lory", arguments: &[Argument::count("segment")], example: "lory:256" },
    Form { head: "molora", arguments: &[Argument::count("k").optional()], example: "molora" },
    Form { head: "mov", arguments: &[], example: "mov" },
    Form { head: "loramoe", arguments: &[], example: "loramoe" },
    Form { head: "mixlora", arguments: &[], example: "mixlora" },
    Form { head: "shared", arguments: &[Argument::word("gate", &["none", "sigmoid"])], example: "shared:none" },
];

impl FromStr for MixerSpec {
    type Err = ParseSpecError;

    fn from_str(text: &str) -> Result<MixerSpec, ParseSpecError> {
        let arguments = Arguments::read(text, "mixing rule", MIXER_FORMS)?;
        match spec(&arguments) {
            Some(spec) => Ok(spec),
            None => unknown(format!("complete form of {}", arguments.form.head), text.trim(), arguments.form),
        }
    }
}

/// `None` where an argument is missing.
fn spec(arguments: &Arguments) -> Option<MixerSpec> {
    Some(match arguments.form.head {
        "soft_moe" => MixerSpec::SoftMoe { slots: arguments.count("slots").unwrap_or(1) },
        "smear" => MixerSpec::Smear,
        "meo" => MixerSpec::Meo { k: arguments.count("k")? },
        "lory" => MixerSpec::Lory { segment: arguments.count("segment")? },
        "molora" => MixerSpec::Molora { k: arguments.count("k") },
        "mov" => MixerSpec::Mov,
        "loramoe" => MixerSpec::Loramoe,
        "mixlora" => MixerSpec::Mixlora,
        "shared" => match arguments.word("gate") {
            Some("sigmoid") => MixerSpec::Shared { gate: SharedGate::Sigmoid },
            _ => MixerSpec::Shared { gate: SharedGate::None },
        },
        _ => return None,
    })
}

impl fmt::Display for MixerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MixerSpec::SoftMoe { slots } => write!(f, "soft_moe:{slots}"),
            MixerSpec::Smear => f.write_str("smear"),
            MixerSpec::Meo { k } => write!(f, "meo:{k}"),
            MixerSpec::Lory { segment } => write!(f, "lory:{segment}"),
            MixerSpec::Molora { k: None } => f.write_str("molora"),
            MixerSpec::Molora { k: Some(k) } => write!(f, "molora:{k}"),
            MixerSpec::Mov => f.write_str("mov"),
            MixerSpec::Loramoe => f.write_str("loramoe"),
            MixerSpec::Mixlora => f.write_str("mixlora"),
            MixerSpec::Shared { gate: SharedGate::None } => f.write_str("shared:none"),
            MixerSpec::Shared { gate: SharedGate::Sigmoid } => f.write_str("shared:sigmoid"),
        }
    }
}
