//! Whose model a folder holds: which name each parameter has in its file. The seam for models that others made.
//!
//! In memory there is one form of every part (`forms/`), under names that follow the modules. In a file a parameter has
//! the name its architecture gave it. A new architecture is a variant here and a file of names beside
//! `moe_playground.rs`; where its matrices lie otherwise (transposed, an expert at a time), that becomes a column of the
//! table.

mod filed;
mod moe_playground;

pub use filed::Filed;

use serde::{Deserialize, Serialize};

/// Whose names and shapes a weights file has. Manifests that say nothing mean ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    #[default]
    MoePlayground,
}

/// What a parameter is for, as far as files care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A gate, what projects for it, or what biases it: kept exact, as a flipped expert is visible.
    Gate,
    /// A gain: kept exact, and small.
    Norm,
    /// The gain before a gate, without which its logits cannot be made again.
    NormOfGate,
    /// Everything large: stored as 8-bit whole numbers.
    Matrix,
}

/// A row of an architecture's table. `*` stands for the number of a block.
#[derive(Debug, Clone, Copy)]
pub struct Name {
    /// By module, as burn walks through [`crate::Weights`].
    pub ours: &'static str,
    /// In the file.
    pub theirs: &'static str,
    pub role: Role,
}

impl Architecture {
    /// Every parameter that a model of this architecture may have.
    pub fn names(self) -> &'static [Name] {
        match self {
            Architecture::MoePlayground => &moe_playground::NAMES,
        }
    }

    /// The name in a file of the parameter at a path of modules, and its role.
    pub fn in_file(self, path: &[String]) -> Option<(String, Role)> {
        self.names().iter().find_map(|name| {
            let block = matched(name.ours, path)?;
            Some((name.theirs.replace('*', block), name.role))
        })
    }
}

/// The block's number if the pattern fits the path; nothing, as text, where the pattern has none.
fn matched<'a>(pattern: &str, path: &'a [String]) -> Option<&'a str> {
    let parts: Vec<&str> = pattern.split('.').collect();
    let fits = |(part, found): (&&str, &String)| part == found || (*part == "*" && found.parse::<usize>().is_ok());
    (parts.len() == path.len() && parts.iter().zip(path).all(fits))
        .then(|| parts.iter().position(|part| *part == "*").map_or("", |at| path[at].as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_its_number() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let check = |ours: &str, theirs: Option<(&str, Role)>| {
            let found = Architecture::MoePlayground.in_file(&path(ours));
            assert_eq!(found.as_ref().map(|(name, role)| (name.as_str(), *role)), theirs, "{ours}");
        };
        check("embedding", Some(("embedding", Role::Matrix)));
        check("blocks.3.attention.w_qkv", Some(("blocks.3.w_qkv", Role::Matrix)));
        check("blocks.12.gate.Cosine.projection", Some(("blocks.12.cosine.gate_projection", Role::Gate)));
        check("blocks.x.moe_norm", None);
        check("blocks.0", None);
    }
}
