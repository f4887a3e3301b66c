//! Indices as newtypes: an expert cannot be mistaken for a layer, nor a run for a step.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! index {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// The index as a `usize`, to index slices with.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

index!(
    /// One generation, from its prompt to its end. Events of a run that was given up are told apart by it.
    RunId(u32)
);
index!(
    /// A transformer block, counted from the embedding upwards, from 0.
    LayerIdx(u32)
);
index!(
    /// An expert within its layer, from 0.
    ExpertIdx(u32)
);
index!(
    /// An entry of the tokenizer's vocabulary.
    TokenId(u32)
);
