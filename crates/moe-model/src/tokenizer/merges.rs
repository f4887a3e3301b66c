//! Byte pair encoding: of the pairs of neighbouring tokens that have a merge, the first learnt is made one, again and again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// What pairs of tokens become.
pub struct Merges {
    by_pair: HashMap<(u32, u32), Merge>,
}

#[derive(Clone, Copy)]
struct Merge {
    /// Its place among all: the lowest comes first.
    rank: u32,
    id: u32,
}

/// The tokens of a piece while they are merged: each knows its neighbours, since merged ones stay where they are.
#[derive(Clone, Copy)]
struct Link {
    id: u32,
    before: usize,
    after: usize,
}

/// Stands for a neighbour that does not exist. What was merged into another has none after it.
const NOBODY: usize = usize::MAX;

impl Merges {
    /// `merges`: of each pair, in the order in which they were learnt, the token it becomes.
    pub fn new(merges: impl Iterator<Item = ((u32, u32), u32)>) -> Merges {
        let ranked = merges.zip(0..).map(|((pair, id), rank)| (pair, Merge { rank, id }));
        Merges { by_pair: ranked.collect() }
    }

    /// Adds to `out` what becomes of tokens in a row. Takes time that grows hardly faster than their number.
    pub fn merged(&self, tokens: impl Iterator<Item = u32>, out: &mut Vec<u32>) {
        let link = |(at, id): (usize, u32)| Link { id, before: at.checked_sub(1).unwrap_or(NOBODY), after: at + 1 };
        let mut links: Vec<Link> = tokens.enumerate().map(link).collect();
        let of_pair = |links: &[Link], at: usize| {
            let first = links.get(at)?;
            let second = links.get(first.after)?;
            self.by_pair.get(&(first.id, second.id)).map(|merge| Reverse((merge.rank, at, merge.id)))
        };
        let mut waiting: BinaryHeap<_> = (0..links.len()).filter_map(|at| of_pair(&links, at)).collect();
        while let Some(next @ Reverse((_, at, id))) = waiting.pop() {
            // One of the two may have been merged with another neighbour since.
            if of_pair(&links, at) != Some(next) {
                continue;
            }
            let gone = links[at].after;
            let after = std::mem::replace(&mut links[gone].after, NOBODY);
            links[at] = Link { id, after, ..links[at] };
            if let Some(after) = links.get_mut(after) {
                after.before = at;
            }
            waiting.extend([links[at].before, at].into_iter().filter_map(|at| of_pair(&links, at)));
        }
        let mut at = 0;
        while let Some(link) = links.get(at) {
            out.push(link.id);
            at = link.after;
        }
    }
}
