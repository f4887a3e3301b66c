//! Hash routing (Roller et al. 2021, arXiv:2106.04426): the token's identity decides, and nothing is learned.
//!
//! The expert of a token is a hash of its id, fixed before training; weight 1, no gate. Causal, the same in training and
//! inference, and no capacity in the paper. Two tables: *random*, where every id goes anywhere, and *balanced*, where
//! frequent ids are dealt out so that all experts see about the same number of tokens. A hash of the *next* token would
//! be an oracle and is left out; so are clusters of embeddings.
//! Deviation: the reference draws its random table from Python's generator; ours is SplitMix64 of seed plus id, so that
//! the table needs no storage and an unknown id has an expert too.
//!
//! Eight ids, four experts. The random table gives expert 3 three ids, however frequent they are. The balanced one
//! deals out 50, 30, 20, 10, 9, 8, 5 and 3 occurrences as 50 | 30 | 20 + 5 + 3 | 10 + 9 + 8.
//!
//! ```
//! use moe_router::{example::experts, token_choice::hash};
//! use moe_trace::TokenId;
//!
//! let random: Vec<usize> = (0..8).map(|id| hash::expert_of(TokenId(id), 42, 4)).collect();
//! assert_eq!(random, [1, 0, 3, 2, 3, 1, 3, 0]);
//! let balanced = hash::balanced_table(&[50.0, 30.0, 20.0, 10.0, 9.0, 8.0, 5.0, 3.0], 4);
//! assert_eq!(balanced, [0, 1, 2, 3, 3, 3, 2, 2]);
//! let text = [4, 0, 9].map(TokenId); // 9 is not in the table: 9 mod 4 = 1
//! assert_eq!(experts(&hash::table_requests(&text, &balanced, 4)), [3, 0, 1]);
//! ```

use moe_trace::{RouterSpec, TokenId};

use crate::draws::SplitMix64;
use crate::gate::sorted;
use crate::input::whole;
use crate::request::Request;
use crate::rule::{Argument, Assigns, Besides, Explained, Facts, Family, Form, GateReads, Group, Rule, Run, own};

/// What the rest of the project knows of the random table.
pub static RULE: Rule = Rule {
    name: "hash",
    title: "Hash",
    one_line: "The expert is a hash of the token's id; nothing is learned.",
    family: Family::NotLearned,
    paper: "Roller et al. 2021, arXiv:2106.04426",
    equation: Some("code facebookresearch/ParlAI: projects/params_vs_compute/hash_ladder/hash_ladder.py"),
    needs: "token ids",
    trained_with: "a hash fixed before training, weight 1",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[Argument::count("seed").optional()],
            example: "hash:42",
            read: |given| Some(RouterSpec::Hash { seed: given.count("seed").unwrap_or(0) }),
            print: own!(RouterSpec::Hash { seed } => vec![("seed", seed.into())]),
        },
        check: |_, _| Ok(()),
        facts: |_| OF_BOTH,
        assign: own!(RouterSpec::Hash { seed }, group => {
            group.admit(&requests(&ids(group), seed, group.num_experts()))
        }),
    }),
};

/// The rule as a formula and in a few sentences.
pub static EXPLAINED: Explained = Explained {
    formula: "e = hash(seed + id) mod E, w = 1",
    text: "The token's identity decides, and nothing is learned. It is the test of what learned routing is worth: \
           such a model is not much worse. The same word always meets the same expert, whatever it means in its \
           context.",
};

/// And of the balanced table.
pub static RULE_BALANCED: Rule = Rule {
    name: "balanced_hash",
    title: "Balanced hash",
    one_line: "The expert is read from a table that deals frequent ids out evenly.",
    family: Family::NotLearned,
    paper: "Roller et al. 2021, arXiv:2106.04426",
    equation: None,
    needs: "token ids and their frequencies in the training text",
    trained_with: "a table fixed before training, weight 1",
    at_inference: "the same",
    run: Run::Assigns(Assigns {
        form: Form {
            arguments: &[],
            example: "balanced_hash",
            read: |_| Some(RouterSpec::BalancedHash),
            print: |_| Vec::new(),
        },
        check: |_, _| Ok(()),
        facts: |_| Facts { besides: Besides::TokenFrequencies, ..OF_BOTH },
        assign: |_, group| {
            let table = balanced_table(group.input.token_frequencies, group.num_experts());
            group.admit(&table_requests(&ids(group), &table, group.num_experts()))
        },
    }),
};

/// It as a formula and in a few sentences.
pub static EXPLAINED_BALANCED: Explained = Explained {
    formula: "e = table(id), w = 1",
    text: "Like hashing, but the table is dealt out by frequency: the most frequent id goes to the expert with the \
           least so far, and so on. Experts see about equally many tokens of the training text, as long as texts \
           are like it.",
};

const OF_BOTH: Facts =
    Facts { reads: GateReads::Nothing, gate_learns: false, besides: Besides::TokenIds, ..Facts::OF_SWITCH };

/// `[tokens]`; a missing id counts as 0.
fn ids(group: &Group) -> Vec<TokenId> {
    whole(group.input.token_ids, group.num_tokens(), TokenId(0))
}

/// The expert of an id in the random table of `seed`.
pub fn expert_of(token_id: TokenId, seed: u32, num_experts: usize) -> usize {
    let hash = SplitMix64::new(u64::from(seed) + u64::from(token_id.0)).u64();
    (hash % num_experts as u64) as usize
}

/// One request per token, weight 1. `token_ids`: `[tokens]`, the ids that went into the model at these positions.
pub fn requests(token_ids: &[TokenId], seed: u32, num_experts: usize) -> Vec<Request> {
    let experts = token_ids.iter().map(|&id| expert_of(id, seed, num_experts));
    experts.enumerate().map(|(token, expert)| Request::new(token, 0, expert, 1.0, 1.0)).collect()
}

/// One request per token to the expert of its id in `table`, weight 1; ids beyond the table go to expert `id mod E`.
///
/// `token_ids`: `[tokens]`. `table`: `[vocabulary]`, from [`balanced_table`].
pub fn table_requests(token_ids: &[TokenId], table: &[usize], num_experts: usize) -> Vec<Request> {
    let expert_of = |id: &TokenId| table.get(id.0 as usize).copied().unwrap_or(id.0 as usize % num_experts);
    let experts = token_ids.iter().map(expert_of);
    experts.enumerate().map(|(token, expert)| Request::new(token, 0, expert, 1.0, 1.0)).collect()
}

/// The balanced table, `[vocabulary]`: ids by descending frequency, each to the expert with the least so far, ties to
/// the lower expert. `frequencies`: `[vocabulary]`, how often each id occurs.
pub fn balanced_table(frequencies: &[f64], num_experts: usize) -> Vec<usize> {
    let by_frequency = sorted(frequencies.len(), &|a, b| frequencies[b].total_cmp(&frequencies[a]));
    let mut loads = vec![0.0_f64; num_experts];
    let mut table = vec![0; frequencies.len()];
    for id in by_frequency {
        // `min_by` returns the first of equals.
        let emptiest = (0..num_experts).min_by(|&a, &b| loads[a].total_cmp(&loads[b])).unwrap_or(0);
        table[id] = emptiest;
        loads[emptiest] += frequencies[id];
    }
    table
}
