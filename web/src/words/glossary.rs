//! Words that a newcomer may not know: one sentence each, and where it comes from.

/// A word with what it means.
#[derive(Debug, PartialEq)]
pub struct Term {
    pub name: &'static str,
    /// One sentence.
    pub meaning: &'static str,
    pub source: Source,
}

/// Where to read more.
#[derive(Debug, PartialEq)]
pub struct Source {
    pub words: &'static str,
    pub address: &'static str,
}

const SHAZEER: Source = Source { words: "Shazeer et al. 2017, section 2", address: "https://arxiv.org/abs/1701.06538" };
const SHAZEER_BALANCE: Source =
    Source { words: "Shazeer et al. 2017, section 4", address: "https://arxiv.org/abs/1701.06538" };
const GSHARD: Source = Source { words: "GShard 2020, section 2.2", address: "https://arxiv.org/abs/2006.16668" };
const SWITCH: Source =
    Source { words: "Switch Transformers 2021, section 2.2", address: "https://arxiv.org/abs/2101.03961" };
const SHANNON: Source =
    Source { words: "Shannon 1948, introduction", address: "https://doi.org/10.1002/j.1538-7305.1948.tb01338.x" };

pub static EXPERT: Term = Term {
    name: "expert",
    meaning: "One of several small networks in a layer, of which each token uses only a few.",
    source: SHAZEER,
};
pub static GATE: Term = Term {
    name: "gate",
    meaning: "The part of a layer that scores every expert for a token, and so decides which ones it asks.",
    source: SHAZEER,
};
pub static K: Term = Term { name: "k", meaning: "How many experts a token asks in a layer.", source: SHAZEER };
pub static SLOT: Term = Term {
    name: "slot",
    meaning: "Room for one token at an expert, which can compute no more tokens at once than it has slots.",
    source: SWITCH,
};
pub static CAPACITY_FACTOR: Term = Term {
    name: "capacity factor",
    meaning: "How many slots an expert has, as a multiple of what it would need if all were asked equally often.",
    source: SWITCH,
};
pub static GROUP: Term = Term {
    name: "routing group",
    meaning: "The tokens that are routed together and compete for the same slots.",
    source: GSHARD,
};
pub static TURNED_AWAY: Term = Term {
    name: "turned away",
    meaning: "A request that finds its expert full is turned away; another expert may still serve the token.",
    source: GSHARD,
};
pub static DROPPED: Term = Term {
    name: "dropped",
    meaning: "A token that every expert it asked turned away skips the layer: it goes on as it came.",
    source: SWITCH,
};
pub static IMBALANCE: Term = Term {
    name: "CV",
    meaning: "The coefficient of variation, standard deviation over mean: 0 where all experts get equally many.",
    source: SHAZEER_BALANCE,
};
pub static NATS: Term = Term {
    name: "nats",
    meaning: "Surprise counted with the natural logarithm: a token given the probability p costs −ln p nats, half a \
        chance 0.69.",
    source: SHANNON,
};

/// All of them.
pub static ALL: [&Term; 10] =
    [&EXPERT, &GATE, &K, &SLOT, &CAPACITY_FACTOR, &GROUP, &TURNED_AWAY, &DROPPED, &IMBALANCE, &NATS];
