//! What a reader changes about a layer's decisions ([`Intervention`]), as its router sees it: gate logits bent before the
//! rule looks at them, experts exchanged after it has decided.

use std::borrow::Cow;
use std::ops::Range;

use moe_router::draws::SplitMix64;
use moe_router::gate::top_k;
use moe_trace::{ExpertIdx, GateLogits, Intervention, Routing};

/// The gate logit that counts as −∞: the least finite one. Its probability is exactly 0.
pub const MUTED: f32 = f32::MIN;

/// The changes of one layer, for the tokens of a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    num_experts: usize,
    /// In the order in which they act.
    list: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq)]
enum Change {
    Mute(ExpertIdx),
    Force {
        /// Of the group.
        token: usize,
        expert: ExpertIdx,
    },
    Swap([ExpertIdx; 2]),
    Temperature(f32),
    Bias(ExpertIdx, f32),
    /// To be added, `[tokens, experts]`.
    Noise(Vec<f32>),
}

impl Changes {
    /// Those that a request makes in a layer, for the first `num_tokens` positions of a text. Noise is drawn by `seed`, a
    /// stream for each layer, and a token keeps its own when the text grows.
    pub fn of_layer(
        interventions: &[Intervention],
        layer: u32,
        seed: u32,
        num_tokens: usize,
        num_experts: usize,
    ) -> Changes {
        let is_here = |of: Option<u32>| of.is_none_or(|of| of == layer);
        let mut draws = SplitMix64::new(u64::from(seed) << 32 | 4 << 16 | u64::from(layer + 1));
        let change = |intervention: &Intervention| match *intervention {
            Intervention::Mute { layer, expert } => is_here(Some(layer.0)).then_some(Change::Mute(expert)),
            Intervention::Force { layer, position, expert } => {
                is_here(Some(layer.0)).then_some(Change::Force { token: position as usize, expert })
            }
            Intervention::Swap { layer, experts } => is_here(Some(layer.0)).then_some(Change::Swap(experts)),
            Intervention::RouterTemperature { layer, temperature } => {
                is_here(layer.map(|layer| layer.0)).then_some(Change::Temperature(temperature))
            }
            Intervention::Bias { layer, expert, bias } => is_here(Some(layer.0)).then_some(Change::Bias(expert, bias)),
            Intervention::GateNoise { layer, deviation } => is_here(layer.map(|layer| layer.0)).then(|| {
                let all = 0..num_tokens * num_experts;
                Change::Noise(all.map(|_| (draws.normal() * f64::from(deviation)) as f32).collect())
            }),
        };
        Changes { num_experts, list: interventions.iter().filter_map(change).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The changes for some positions, as those of a group of their own.
    pub fn at(&self, positions: Range<usize>) -> Changes {
        let num_experts = self.num_experts;
        let of_tokens = |change: &Change| match change {
            Change::Force { token, .. } if !positions.contains(token) => None,
            Change::Force { token, expert } => Some(Change::Force { token: token - positions.start, expert: *expert }),
            Change::Noise(noise) => {
                let of_these = positions.start * num_experts..positions.end * num_experts;
                Some(Change::Noise(noise.get(of_these).unwrap_or_default().to_vec()))
            }
            other => Some(other.clone()),
        };
        Changes { num_experts, list: self.list.iter().filter_map(of_tokens).collect() }
    }

    /// How many of the first tokens are changed alike here and there; all of them where nothing tells the two apart.
    pub fn num_common(&self, other: &Changes) -> usize {
        if self == other {
            return usize::MAX;
        }
        // Where nothing is changed the kernels decide, and round otherwise than the host does.
        if self.is_empty() || other.is_empty() {
            return 0;
        }
        let of_all = |changes: &'_ Changes| -> Vec<Change> {
            changes.list.iter().filter(|change| !matches!(change, Change::Force { .. })).cloned().collect()
        };
        let (here, there) = (of_all(self), of_all(other));
        if here.len() != there.len() {
            return 0;
        }
        let alike = here.iter().zip(&there).map(|pair| match pair {
            (Change::Noise(a), Change::Noise(b)) => {
                let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
                if same == a.len().min(b.len()) { usize::MAX } else { same / self.num_experts.max(1) }
            }
            (a, b) if a == b => usize::MAX,
            _ => 0,
        });
        // In which order a token is forced and something else happens counts; one that is not forced cannot tell.
        let is_forced = |changes: &Changes| changes.forced().map(|(token, _)| token).min();
        let same_forces = self.forced().eq(other.forced());
        let first_forced = is_forced(self).into_iter().chain(is_forced(other)).min().filter(|_| !same_forces);
        alike.chain(first_forced).min().unwrap_or(usize::MAX)
    }

    fn forced(&self) -> impl Iterator<Item = (usize, ExpertIdx)> + '_ {
        self.list.iter().filter_map(|change| match change {
            Change::Force { token, expert } => Some((*token, *expert)),
            _ => None,
        })
    }

    /// Gate logits as the rule is to see them. `logits` are of the group's tokens from `first` on.
    ///
    /// A forced token's first choice and the expert it is sent to change logits: so it is asked with that one's weight, and
    /// the others keep their ranks.
    pub fn bend(&self, first: usize, logits: GateLogits) -> GateLogits {
        if self.list.is_empty() {
            return logits;
        }
        let num_experts = logits.num_experts();
        let mut values = logits.values().to_vec();
        // First and last: a forced token does not make room for a muted expert, and nothing unmutes one.
        self.mute(&mut values);
        for change in &self.list {
            match change {
                Change::Temperature(temperature) => values.iter_mut().for_each(|z| *z = finite(*z / temperature)),
                Change::Noise(noise) => {
                    let noise = noise.iter().skip(first * num_experts);
                    values.iter_mut().zip(noise).for_each(|(z, noise)| *z = finite(*z + noise));
                }
                Change::Bias(expert, bias) => {
                    let of_expert = values.iter_mut().skip(expert.index()).step_by(num_experts);
                    of_expert.for_each(|z| *z = finite(*z + bias));
                }
                Change::Force { token, expert } => {
                    let row = token.checked_sub(first).and_then(|row| values.chunks_exact_mut(num_experts).nth(row));
                    if let Some(row) = row {
                        let chosen = top_k(row, 1)[0];
                        row.swap(chosen, expert.index());
                    }
                }
                Change::Mute(_) | Change::Swap(_) => {}
            }
        }
        self.mute(&mut values);
        GateLogits::new(num_experts, values).expect("as many numbers as before, all finite")
    }

    /// `values`: `[tokens, experts]`.
    fn mute(&self, values: &mut [f32]) {
        for expert in self.muted() {
            values.iter_mut().skip(expert.index()).step_by(self.num_experts).for_each(|z| *z = MUTED);
        }
    }

    fn muted(&self) -> impl Iterator<Item = ExpertIdx> + '_ {
        self.list.iter().filter_map(|change| match change {
            Change::Mute(expert) => Some(*expert),
            _ => None,
        })
    }

    /// The selection bias, `[experts]` or empty, without what it would give a muted expert.
    pub fn bias<'a>(&self, selection_bias: &'a [f32]) -> Cow<'a, [f32]> {
        if selection_bias.is_empty() || self.muted().next().is_none() {
            return selection_bias.into();
        }
        let mut bias = selection_bias.to_vec();
        self.muted().for_each(|expert| bias[expert.index()] = MUTED);
        bias.into()
    }

    /// A muted expert that some token asks nevertheless, by a rule that does not go by the gate, or for want of others.
    pub fn asked_though_muted(&self, routing: &Routing) -> Option<ExpertIdx> {
        self.muted().find(|muted| routing.assignments.iter().any(|request| request.expert == *muted))
    }

    /// Who computes what was decided: the routing with the swapped experts in each other's place.
    pub fn computed_by<'a>(&self, routing: &'a Routing) -> Cow<'a, Routing> {
        let mut computed = Cow::Borrowed(routing);
        for change in &self.list {
            let Change::Swap([one, other]) = change else { continue };
            for request in &mut computed.to_mut().assignments {
                request.expert = match request.expert {
                    expert if expert == *one => *other,
                    expert if expert == *other => *one,
                    expert => expert,
                };
            }
        }
        computed
    }
}

/// Within what a gate logit may be.
fn finite(logit: f32) -> f32 {
    logit.clamp(f32::MIN, f32::MAX)
}

#[cfg(test)]
mod tests {
    use moe_trace::{Assignment, Fate, LayerIdx};

    use super::*;

    const LAYER: LayerIdx = LayerIdx(1);

    fn changes(interventions: &[Intervention]) -> Changes {
        Changes::of_layer(interventions, 1, 7, 4, 3)
    }

    fn bent(interventions: &[Intervention]) -> Vec<f32> {
        let logits = GateLogits::new(3, vec![1.0, 3.0, 2.0, 4.0, 0.0, -1.0]).expect("two rows");
        changes(interventions).bend(1, logits).values().to_vec()
    }

    #[test]
    fn logits_are_bent_for_the_tokens_they_are_of() {
        let (one, two) = (ExpertIdx(1), ExpertIdx(2));
        let check = |change: Intervention, expected: [f32; 6]| assert_eq!(bent(&[change]), expected, "{change}");
        let as_they_are = [1.0, 3.0, 2.0, 4.0, 0.0, -1.0];
        check(Intervention::Mute { layer: LAYER, expert: one }, [1.0, MUTED, 2.0, 4.0, MUTED, -1.0]);
        check(Intervention::Mute { layer: LayerIdx(0), expert: one }, as_they_are);
        check(Intervention::Bias { layer: LAYER, expert: two, bias: 0.5 }, [1.0, 3.0, 2.5, 4.0, 0.0, -0.5]);
        check(Intervention::RouterTemperature { layer: None, temperature: 2.0 }, [0.5, 1.5, 1.0, 2.0, 0.0, -0.5]);
        // The rows are of positions 1 and 2.
        check(Intervention::Force { layer: LAYER, position: 2, expert: two }, [1.0, 3.0, 2.0, -1.0, 0.0, 4.0]);
        check(Intervention::Force { layer: LAYER, position: 0, expert: two }, as_they_are);
        check(Intervention::Swap { layer: LAYER, experts: [one, two] }, as_they_are);
        // The first choice is one that may be asked, and no noise or bias brings a muted expert back.
        let mute = Intervention::Mute { layer: LAYER, expert: one };
        let force = Intervention::Force { layer: LAYER, position: 1, expert: ExpertIdx(0) };
        assert_eq!(bent(&[force, mute]), [2.0, MUTED, 1.0, 4.0, MUTED, -1.0]);
        let bias = Intervention::Bias { layer: LAYER, expert: one, bias: f32::MAX };
        assert_eq!(bent(&[mute, bias])[1], MUTED);
    }

    #[test]
    fn noise_is_a_tokens_own() {
        let noise = [Intervention::GateNoise { layer: None, deviation: 0.5 }];
        let (all, later) = (changes(&noise), changes(&noise).at(1..3));
        let rows = |num: usize| GateLogits::new(3, vec![0.0; num * 3]).expect("rows");
        assert_eq!(all.bend(0, rows(3)).values()[3..], *later.bend(0, rows(2)).values());
        assert_eq!(all.bend(1, rows(2)), later.bend(0, rows(2)));
        assert_ne!(all, Changes::of_layer(&noise, 0, 7, 4, 3), "a stream for each layer");
        assert_ne!(all, Changes::of_layer(&noise, 1, 8, 4, 3), "and for each seed");
    }

    #[test]
    fn a_text_that_is_run_again_is_the_same_up_to_the_first_token_that_is_changed_otherwise() {
        let force = |position: u32| Intervention::Force { layer: LAYER, position, expert: ExpertIdx(0) };
        let noise = Intervention::GateNoise { layer: None, deviation: 0.5 };
        let mute = Intervention::Mute { layer: LAYER, expert: ExpertIdx(1) };
        let check = |one: &[Intervention], other: &[Intervention], num: usize| {
            assert_eq!(changes(one).num_common(&changes(other)), num, "{one:?} {other:?}");
        };
        check(&[mute, force(2)], &[mute, force(2)], usize::MAX);
        check(&[mute], &[], 0);
        check(&[force(2)], &[], 0);
        check(&[force(2)], &[force(3)], 2);
        check(&[force(3), mute], &[force(2), mute], 2);
        check(&[noise], &[mute], 0);
        let longer = Changes::of_layer(&[noise], 1, 7, 9, 3);
        assert_eq!(changes(&[noise]).num_common(&longer), usize::MAX, "noise does not move when the text grows");
        assert_eq!(changes(&[noise]).num_common(&Changes::of_layer(&[noise], 1, 8, 4, 3)), 0);
    }

    #[test]
    fn swapped_experts_compute_what_was_decided() {
        let request = |expert: u32| Assignment {
            token: 0,
            rank: 0,
            expert: ExpertIdx(expert),
            weight: 0.5,
            weight_raw: 0.5,
            fate: Fate::Kept { slot: 0 },
        };
        let requests = |experts: [u32; 3]| Routing {
            num_tokens: 1,
            num_experts: 3,
            capacity: None,
            assignments: experts.into_iter().map(request).collect(),
        };
        let decided = requests([0, 1, 2]);
        let swap = changes(&[Intervention::Swap { layer: LAYER, experts: [ExpertIdx(0), ExpertIdx(2)] }]);
        assert_eq!(*swap.computed_by(&decided), requests([2, 1, 0]));
        let mute = changes(&[Intervention::Mute { layer: LAYER, expert: ExpertIdx(1) }]);
        assert_eq!(mute.asked_though_muted(&decided), Some(ExpertIdx(1)));
        assert_eq!(mute.asked_though_muted(&requests([0, 2, 0])), None);
        assert_eq!(*mute.bias(&[0.5, 0.5, 0.5]), [0.5, MUTED, 0.5]);
        assert!(mute.bias(&[]).is_empty());
    }
}
