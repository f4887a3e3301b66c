//! Which part of the requests, tokens and slots met with success.

use moe_trace::{Assignment, Fate, Routing};

use crate::measure::spearman;

/// Requests that were turned away, of all that were made. 0 when none was made.
pub fn fraction_dropped(routing: &Routing) -> f64 {
    let made = routing.assignments.iter().filter(|a| a.fate.is_demand()).count();
    let lost = routing.assignments.iter().filter(|a| a.fate == Fate::Lost).count();
    lost as f64 / made.max(1) as f64
}

/// Tokens that asked and kept nothing, of all tokens that asked: only the residual passes them on. (Flaxformer's
/// "tokens left behind".) A token that no expert picked, under a rule in which experts choose, has no request and is not
/// counted; [`tokens_without_requests`] counts it.
pub fn fraction_tokens_unserved(routing: &Routing) -> f64 {
    let (mut asked, mut unserved) = (0, 0);
    for of_token in routing.assignments.chunk_by(|a, b| a.token == b.token) {
        asked += usize::from(of_token.iter().any(|a| a.fate.is_demand()));
        unserved += usize::from(routing.is_dropped(of_token[0].token));
    }
    unserved as f64 / asked.max(1) as f64
}

/// Tokens that asked no expert and were picked by none: the "unchosen" ones of expert choice and of strictly balanced
/// gating, and tokens whose logits are all negative under ReLU routing. They have no record in the routing, where padding
/// has one and is not counted here; only the residual passes them on.
///
/// ```
/// use moe_router::{Router, RouterInput, metrics, rules};
/// use moe_trace::{GateLogits, RoutingSpec};
///
/// // Three experts take one token each: the first two prefer token 1, the last one token 2. Token 0 is all the same to all.
/// let router = Router::new(RoutingSpec { router: rules::parse_router("expert_choice:1")?, ..RoutingSpec::default() }, 3)?;
/// let gate_logits = GateLogits::new(3, vec![0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, 2.0])?;
/// let routing = router.route(&RouterInput::new(&gate_logits));
/// assert!(routing.of_token(0).is_empty());
/// assert_eq!(metrics::tokens_without_requests(&routing), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn tokens_without_requests(routing: &Routing) -> u32 {
    let has_record = routing.assignments.chunk_by(|a, b| a.token == b.token).count() as u32;
    routing.num_tokens - has_record
}

/// Slots that are taken, of all slots of all experts; `None` where there is no capacity, or no slot.
pub fn expert_usage(routing: &Routing) -> Option<f64> {
    let slots = f64::from(routing.capacity?) * f64::from(routing.num_experts);
    (slots > 0.0).then(|| kept(routing).count() as f64 / slots)
}

/// Mean weight of the kept requests; 0 when nothing was kept.
pub fn router_confidence(routing: &Routing) -> f64 {
    let sum: f64 = kept(routing).map(|a| f64::from(a.weight)).sum();
    sum / kept(routing).count().max(1) as f64
}

fn kept(routing: &Routing) -> impl Iterator<Item = &Assignment> {
    routing.assignments.iter().filter(|a| a.fate.is_kept())
}

/// Drop rate by position in the text, over any number of groups whose tokens begin at position 0 (OpenMoE,
/// arXiv:2402.01739, section 4: "drop towards the end").
///
/// Returns `[num_bins]`: lost over made requests of stretches of `ceil(longest / num_bins)` tokens, of which the last one
/// may be shorter or empty; `None` for a stretch in which nobody asked.
pub fn drop_rate_by_position(routings: &[Routing], num_bins: usize) -> Vec<Option<f64>> {
    if num_bins == 0 {
        return Vec::new();
    }
    let longest = routings.iter().map(|routing| routing.num_tokens as usize).max().unwrap_or(0);
    let width = longest.div_ceil(num_bins).max(1);
    let (mut made, mut lost) = (vec![0_u32; num_bins], vec![0_u32; num_bins]);
    for assignment in routings.iter().flat_map(|routing| &routing.assignments).filter(|a| a.fate.is_demand()) {
        let bin = assignment.token as usize / width;
        made[bin] += 1;
        lost[bin] += u32::from(assignment.fate == Fate::Lost);
    }
    let rate = |(lost, made): (u32, u32)| (made > 0).then(|| f64::from(lost) / f64::from(made));
    lost.into_iter().zip(made).map(rate).collect()
}

/// OpenMoE's "drop towards the end" as one number (ours): drop rate of the last quarter of the text minus that of the
/// first, quarters as in [`drop_rate_by_position`]; a quarter without requests counts as 0, so let texts be long. About 0 for
/// batch-prioritised or random order; positive where later tokens find the slots taken.
pub fn drop_towards_the_end(routings: &[Routing]) -> f64 {
    let quarters = drop_rate_by_position(routings, 4);
    quarters[3].unwrap_or(0.0) - quarters[0].unwrap_or(0.0)
}

/// Spearman's rank correlation of position and drop rate (ours), over positions at which somebody asked: near 1 where drops
/// gather at the end, near 0 where they fall anywhere, and 0 where nobody, or everybody alike, is dropped. Groups begin at
/// position 0, as in [`drop_rate_by_position`].
///
/// ```
/// use moe_router::{Router, RouterInput, metrics, rules};
/// use moe_trace::{CapacitySpec, GateLogits, Overflow, RoutingSpec};
///
/// // Four tokens want the same expert, which has two slots: drop rates 0, 0, 1, 1 at positions 0 to 3. Ranks (1.5, 1.5,
/// // 3.5, 3.5) and (1, 2, 3, 4): 4 / √(4 · 5) = 0.894.
/// let overflow = Overflow::Drop(CapacitySpec { factor: 1.0, ..CapacitySpec::default() });
/// let router = Router::new(RoutingSpec { router: rules::parse_router("switch")?, overflow }, 2)?;
/// let gate_logits = GateLogits::new(2, [1.0, 0.0].repeat(4))?;
/// let routing = router.route(&RouterInput::new(&gate_logits));
/// assert!((metrics::drop_rank_correlation(&[routing]) - 0.894).abs() < 1e-3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn drop_rank_correlation(routings: &[Routing]) -> f64 {
    let longest = routings.iter().map(|routing| routing.num_tokens as usize).max().unwrap_or(0);
    let rates = drop_rate_by_position(routings, longest).into_iter().enumerate();
    let (positions, rates): (Vec<f64>, Vec<f64>) =
        rates.filter_map(|(position, rate)| Some((position as f64, rate?))).unzip();
    spearman(&positions, &rates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use moe_trace::ExpertIdx;

    /// Requests of successive tokens, two each: `k` kept, `l` lost, `s` skipped, `p` padding. Four slots in all.
    fn routing(fates: &str) -> Routing {
        let assignments = fates.chars().filter(|c| *c != ' ').enumerate().map(|(at, fate)| {
            let fate = match fate {
                'k' => Fate::Kept { slot: 0 },
                'l' => Fate::Lost,
                's' => Fate::Skipped,
                _ => Fate::Padding,
            };
            let (token, rank) = (at as u32 / 2, at as u32 % 2);
            Assignment { token, rank, expert: ExpertIdx(rank), weight: 0.5, weight_raw: 0.5, fate }
        });
        let assignments: Vec<Assignment> = assignments.collect();
        Routing { num_tokens: assignments.len() as u32 / 2, num_experts: 2, capacity: Some(2), assignments }
    }

    #[test]
    fn tokens_that_nobody_picked_are_counted_apart() {
        let mut routing = routing("kl ks pp");
        assert_eq!(tokens_without_requests(&routing), 0);
        routing.assignments.drain(2..4);
        assert_eq!(tokens_without_requests(&routing), 1);
    }

    #[test]
    fn fractions_by_hand() {
        let check = |fates: &str, dropped: f64, unserved: f64, usage: f64, confidence: f64| {
            let routing = routing(fates);
            assert_eq!(fraction_dropped(&routing), dropped, "{fates}");
            assert_eq!(fraction_tokens_unserved(&routing), unserved, "{fates}");
            assert_eq!(expert_usage(&routing), Some(usage), "{fates}");
            assert_eq!(router_confidence(&routing), confidence, "{fates}");
        };
        check("kk kl", 0.25, 0.0, 0.75, 0.5);
        check("kk ll", 0.5, 0.5, 0.5, 0.5);
        // Skipped requests and padding tokens are in no denominator.
        check("ks ls pp", 0.5, 0.5, 0.25, 0.5);
        check("pp ss", 0.0, 0.0, 0.0, 0.0);
    }

    #[test]
    fn drops_by_stretch_of_the_text() {
        let groups = [routing("kk kk kl ll"), routing("kk ks")];
        assert_eq!(drop_rate_by_position(&groups, 2), [Some(0.0), Some(0.75)]);
        assert_eq!(drop_rate_by_position(&groups, 4), [Some(0.0), Some(0.0), Some(0.5), Some(1.0)]);
        assert_eq!(drop_rate_by_position(&[routing("ss kk")], 2), [None, Some(0.0)]);
        assert_eq!(drop_rate_by_position(&[], 2), [None, None]);
        assert_eq!(drop_towards_the_end(&groups), 1.0);
        // Rates 0, 0, 1/2 and 1: ranks 1.5, 1.5, 3, 4 for 1, 2, 3, 4: 4.5 / √(4.5 · 5).
        assert!((drop_rank_correlation(&groups) - 0.9_f64.sqrt()).abs() < 1e-12);
        assert_eq!(drop_rank_correlation(&[routing("kk kk kk")]), 0.0);
        assert_eq!(drop_rank_correlation(&[routing("ss kl ss")]), 0.0);
        assert_eq!(drop_rank_correlation(&[]), 0.0);
    }
}
