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

const SHAZEER: Source =
    Source { words: marked!("Shazeer et al. 2017, section 2"), address: "https://arxiv.org/abs/1701.06538" };
const SHAZEER_BALANCE: Source =
    Source { words: marked!("Shazeer et al. 2017, section 4"), address: "https://arxiv.org/abs/1701.06538" };
const GSHARD: Source =
    Source { words: marked!("GShard 2020, section 2.2"), address: "https://arxiv.org/abs/2006.16668" };
const SWITCH: Source =
    Source { words: marked!("Switch Transformers 2021, section 2.2"), address: "https://arxiv.org/abs/2101.03961" };
const SHANNON: Source = Source {
    words: marked!("Shannon 1948, introduction"),
    address: "https://doi.org/10.1002/j.1538-7305.1948.tb01338.x",
};

pub static EXPERT: Term = Term {
    name: marked!("expert"),
    meaning: marked!("One of several small networks in a layer, of which each token uses only a few."),
    source: SHAZEER,
};
pub static GATE: Term = Term {
    name: marked!("gate"),
    meaning: marked!("The part of a layer that scores every expert for a token, and so decides which ones it asks."),
    source: SHAZEER,
};
pub static K: Term =
    Term { name: marked!("k"), meaning: marked!("How many experts a token asks in a layer."), source: SHAZEER };
pub static SLOT: Term = Term {
    name: marked!("slot"),
    meaning: marked!("Room for one token at an expert, which can compute no more tokens at once than it has slots."),
    source: SWITCH,
};
pub static CAPACITY_FACTOR: Term = Term {
    name: marked!("capacity factor"),
    meaning: marked!(
        "How many slots an expert has, as a multiple of what it would need if all were asked equally often."
    ),
    source: SWITCH,
};
pub static GROUP: Term = Term {
    name: marked!("routing group"),
    meaning: marked!("The tokens that are routed together and compete for the same slots."),
    source: GSHARD,
};
pub static TURNED_AWAY: Term = Term {
    name: marked!("turned away"),
    meaning: marked!("A request that finds its expert full is turned away; another expert may still serve the token."),
    source: GSHARD,
};
pub static DROPPED: Term = Term {
    name: marked!("dropped"),
    meaning: marked!("A token that every expert it asked turned away skips the layer: it goes on as it came."),
    source: SWITCH,
};
pub static IMBALANCE: Term = Term {
    name: marked!("CV"),
    meaning: marked!(
        "The coefficient of variation, standard deviation over mean: 0 where all experts get equally many."
    ),
    source: SHAZEER_BALANCE,
};
pub static NATS: Term = Term {
    name: marked!("nats"),
    meaning: marked!(
        "Surprise counted with the natural logarithm: a token given the probability p costs −ln p nats, half a \
        chance 0.69."
    ),
    source: SHANNON,
};

/// All of them.
pub static ALL: [&Term; 10] =
    [&EXPERT, &GATE, &K, &SLOT, &CAPACITY_FACTOR, &GROUP, &TURNED_AWAY, &DROPPED, &IMBALANCE, &NATS];
