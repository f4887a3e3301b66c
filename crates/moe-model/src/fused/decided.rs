//! What a layer decided about the tokens of a group, kept on the host: tokens that follow are decided upon after it.

use moe_trace::{Assignment, Fate, GateLogits, LayerIdx, LayerTrace, Routing, ShapeError};

/// Of one layer, token by token.
#[derive(Debug, Clone)]
pub struct Decided {
    num_experts: usize,
    /// `[tokens, experts]`
    logits: Vec<f32>,
    /// Ordered by token, then rank.
    assignments: Vec<Assignment>,
}

impl Decided {
    /// About nobody yet.
    pub fn nothing(num_experts: usize) -> Decided {
        Decided { num_experts, logits: Vec::new(), assignments: Vec::new() }
    }

    pub fn new(gate_logits: &GateLogits, routing: Routing) -> Decided {
        let (num_experts, logits) = (gate_logits.num_experts(), gate_logits.values().to_vec());
        Decided { num_experts, logits, assignments: routing.assignments }
    }

    pub fn num_tokens(&self) -> usize {
        self.logits.len() / self.num_experts
    }

    /// `[tokens, experts]`
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// Ordered by token, then rank.
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// Forgets all tokens but the first `num_tokens`.
    pub fn truncate(&mut self, num_tokens: usize) {
        self.logits.truncate(num_tokens * self.num_experts);
        self.assignments.truncate(self.assignments.partition_point(|a| (a.token as usize) < num_tokens));
    }

    /// Adds what was decided about the tokens that follow.
    pub fn append(&mut self, gate_logits: &GateLogits, routing: Routing) {
        let num_tokens = self.num_tokens() as u32;
        self.logits.extend_from_slice(gate_logits.values());
        let later = routing.assignments.into_iter();
        self.assignments.extend(later.map(|a| Assignment { token: a.token + num_tokens, ..a }));
    }

    /// The decision about one of its tokens, as a group of its own: an expert that serves it has nobody before it.
    pub fn alone(&self, token: usize) -> Decided {
        let range = |token: usize| self.assignments.partition_point(|a| (a.token as usize) < token);
        let requests = self.assignments[range(token)..range(token + 1)].iter();
        let alone = requests.map(|a| match a.fate {
            Fate::Kept { .. } => Assignment { token: 0, fate: Fate::Kept { slot: 0 }, ..*a },
            _ => Assignment { token: 0, ..*a },
        });
        let logits = self.logits[token * self.num_experts..][..self.num_experts].to_vec();
        Decided { num_experts: self.num_experts, logits, assignments: alone.collect() }
    }

    /// How many slots of each expert are taken, `[experts]`.
    pub fn taken(&self) -> Vec<i32> {
        let mut taken = vec![0; self.num_experts];
        for assignment in self.assignments.iter().filter(|assignment| assignment.fate.is_kept()) {
            taken[assignment.expert.index()] += 1;
        }
        taken
    }

    /// As a trace has it. `capacity`: slots per expert for all these tokens.
    pub fn trace(&self, layer: LayerIdx, capacity: Option<u32>) -> Result<LayerTrace, ShapeError> {
        let gate_logits = GateLogits::new(self.num_experts, self.logits.clone())?;
        let (num_tokens, num_experts) = (self.num_tokens() as u32, self.num_experts as u32);
        let routing = Routing { num_tokens, num_experts, capacity, assignments: self.assignments.clone() };
        Ok(LayerTrace::decided(layer, gate_logits, routing))
    }
}
