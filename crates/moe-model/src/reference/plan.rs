//! A routing as indices of rows: which token lies in which slot, and in which slot each request is served.

use moe_trace::Routing;

/// A routing as indices of rows, all sequences together. What holds nothing points to a row of zeros behind the others.
pub struct Plan {
    /// Requests per token: the largest number any token made.
    pub k: usize,
    /// Slots per expert, all sequences together: the largest number any expert filled.
    pub slots: usize,
    /// `[experts · slots]`
    pub token_of_slot: Vec<i32>,
    /// `[sequences · tokens · k]`
    pub slot_of_request: Vec<i32>,
    /// `[sequences · tokens · k]`; -1 where a token made fewer requests.
    pub experts: Vec<i32>,
    /// `[sequences · tokens · k]`, 1 where a request was kept.
    pub kept: Vec<f32>,
}

impl Plan {
    pub fn new(routings: &[Routing], num_experts: usize) -> Plan {
        let all = || routings.iter().flat_map(|routing| &routing.assignments);
        let k = all().map(|a| a.rank as usize + 1).max().unwrap_or(1);
        let mut load = vec![0; num_experts];
        for a in all().filter(|a| a.fate.is_kept()) {
            load[a.expert.index()] += 1;
        }
        let slots = load.iter().copied().max().unwrap_or(0).max(1);
        let num_tokens = routings.first().map_or(0, |routing| routing.num_tokens as usize);
        let (all_tokens, all_slots) = (routings.len() * num_tokens, num_experts * slots);
        let mut plan = Plan {
            k,
            slots,
            token_of_slot: vec![all_tokens as i32; all_slots],
            slot_of_request: vec![all_slots as i32; all_tokens * k],
            experts: vec![-1; all_tokens * k],
            kept: vec![0.0; all_tokens * k],
        };
        let mut filled = vec![0; num_experts];
        for (sequence, routing) in routings.iter().enumerate() {
            for a in &routing.assignments {
                let token = sequence * num_tokens + a.token as usize;
                let request = token * k + a.rank as usize;
                plan.experts[request] = a.expert.0 as i32;
                if a.fate.is_kept() {
                    let slot = a.expert.index() * slots + filled[a.expert.index()];
                    filled[a.expert.index()] += 1;
                    plan.slot_of_request[request] = slot as i32;
                    plan.token_of_slot[slot] = token as i32;
                    plan.kept[request] = 1.0;
                }
            }
        }
        plan
    }

    /// The router's own weights, `[sequences · tokens · k]`; 0 where a token made fewer requests.
    pub fn router_weights(&self, routings: &[Routing]) -> Vec<f32> {
        let mut weights = vec![0.0; self.experts.len()];
        for (sequence, routing) in routings.iter().enumerate() {
            for a in &routing.assignments {
                let token = sequence * routing.num_tokens as usize + a.token as usize;
                weights[token * self.k + a.rank as usize] = a.weight;
            }
        }
        weights
    }
}
