//! What one MoE layer saw and decided in one step: whole where a router of ours decided, in parts where another program
//! wrote down less.

use serde::{Deserialize, Serialize};

use crate::choices::{Choices, ExpertLoad, RawChoices, RawExpertLoad};
use crate::gate_logits::{GateLogits, RawGateLogits};
use crate::ids::LayerIdx;
use crate::routing::{RawRouting, Routing};
use crate::scores::{RawScores, Scores};

/// How one layer routed the tokens of a step. What nobody recorded is absent; of `routing`, `choices` and `load` there is
/// one at most. docs/TRACE_FORMAT.md says what each field means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(as = "RawLayerTrace"), schemars(!try_from))]
#[serde(try_from = "RawLayerTrace")]
pub struct LayerTrace {
    /// The layer's number in the model; where `moe_layer_ids` is absent from the header, its number among the MoE layers.
    pub layer: LayerIdx,
    /// The tokens that have rows here, as ascending indices into the step's tokens; absent where all have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<u32>>,
    /// Before any softmax or sigmoid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate_logits: Option<GateLogits>,
    /// After the softmax or sigmoid, where the source has them; with logits there is no need to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate_probs: Option<Scores>,
    /// What the rule chose by, where that is another number (with a bias, within groups).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_scores: Option<Scores>,
    /// `[experts]`: added to the scores for the choice only (DeepSeek-V3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection_bias: Option<Vec<f32>>,
    /// Absent where only the gate was recorded.
    #[serde(flatten)]
    #[cfg_attr(feature = "codegen", schemars(with = "OptionalDecision"))]
    pub decision: Option<Decision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_norms: Option<OutputNorms>,
}

/// As much as is known of a layer's decisions. In JSON its key stands beside the layer's other fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// All of it: every request with weight, slot and fate. A router of ours decided.
    Routing(Routing),
    /// The experts that tokens asked, perhaps with weights. Of another program.
    Choices(Choices),
    /// How often each expert was asked, by nobody knows which token.
    Load(ExpertLoad),
}

/// A decision or none, as others see it: at most one of these.
#[cfg(feature = "codegen")]
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
struct OptionalDecision {
    routing: Option<Routing>,
    choices: Option<Choices>,
    load: Option<ExpertLoad>,
}

/// Euclidean lengths of what experts added to their tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct OutputNorms {
    /// One per assignment of the routing, or per expert id of the choices.
    pub experts: Vec<Option<f32>>,
    /// `[rows]`: of the shared experts together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub shared: Option<Vec<f32>>,
}

/// Why records are not a layer's.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LayerError {
    #[error("layer {layer} has routing, choices and load in {found} of three; a layer has at most one of them")]
    Decisions { layer: LayerIdx, found: usize },
    #[error("layer {layer}, {column}: {reason}")]
    Column { layer: LayerIdx, column: &'static str, reason: String },
    #[error("layer {layer}: its rows are not ascending")]
    RowOrder { layer: LayerIdx },
    #[error("layer {layer} has {found} {column}; {expected} belong there")]
    Length { layer: LayerIdx, column: &'static str, found: usize, expected: usize },
    #[error("layer {layer} has a number in {column} that is not finite")]
    NotFinite { layer: LayerIdx, column: &'static str },
    #[error("layer {layer} has a row of token {token}, and the step has {num_tokens} tokens")]
    Row { layer: LayerIdx, token: u32, num_tokens: usize },
}

/// As JSON has it; in TypeScript too. Its columns are checked where their layer is known.
#[derive(Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS))]
pub(crate) struct RawLayerTrace {
    layer: LayerIdx,
    #[cfg_attr(feature = "codegen", ts(optional))]
    rows: Option<Vec<u32>>,
    #[cfg_attr(feature = "codegen", ts(optional, as = "Option<GateLogits>"))]
    gate_logits: Option<RawGateLogits>,
    #[cfg_attr(feature = "codegen", ts(optional, as = "Option<Scores>"))]
    gate_probs: Option<RawScores>,
    #[cfg_attr(feature = "codegen", ts(optional, as = "Option<Scores>"))]
    selection_scores: Option<RawScores>,
    #[cfg_attr(feature = "codegen", ts(optional))]
    selection_bias: Option<Vec<f32>>,
    #[cfg_attr(feature = "codegen", ts(optional, as = "Option<Routing>"))]
    routing: Option<RawRouting>,
    #[cfg_attr(feature = "codegen", ts(optional, as = "Option<Choices>"))]
    choices: Option<RawChoices>,
    #[cfg_attr(feature = "codegen", ts(optional, as = "Option<ExpertLoad>"))]
    load: Option<RawExpertLoad>,
    #[cfg_attr(feature = "codegen", ts(optional))]
    output_norms: Option<OutputNorms>,
}

impl TryFrom<RawLayerTrace> for LayerTrace {
    type Error = LayerError;

    fn try_from(raw: RawLayerTrace) -> Result<LayerTrace, LayerError> {
        let layer = raw.layer;
        let routing = column(layer, "routing", raw.routing)?.map(Decision::Routing);
        let choices = column(layer, "choices", raw.choices)?.map(Decision::Choices);
        let load = column(layer, "load", raw.load)?.map(Decision::Load);
        let mut decisions = [routing, choices, load].into_iter().flatten();
        let decision = decisions.next();
        let found = usize::from(decision.is_some()) + decisions.count();
        if found > 1 {
            return Err(LayerError::Decisions { layer, found });
        }
        if raw.rows.as_ref().is_some_and(|rows| !rows.is_sorted_by(|a, b| a < b)) {
            return Err(LayerError::RowOrder { layer });
        }
        if raw.selection_bias.iter().flatten().any(|bias| !bias.is_finite()) {
            return Err(LayerError::NotFinite { layer, column: "selection_bias" });
        }
        if let Some(norms) = &raw.output_norms {
            let shared = norms.shared.iter().flatten();
            if !norms.experts.iter().flatten().chain(shared).all(|norm| norm.is_finite()) {
                return Err(LayerError::NotFinite { layer, column: "output_norms" });
            }
        }
        Ok(LayerTrace {
            layer,
            rows: raw.rows,
            gate_logits: column(layer, "gate_logits", raw.gate_logits)?,
            gate_probs: column(layer, "gate_probs", raw.gate_probs)?,
            selection_scores: column(layer, "selection_scores", raw.selection_scores)?,
            selection_bias: raw.selection_bias,
            decision,
            output_norms: raw.output_norms,
        })
    }
}

/// A column with its own rules kept.
fn column<R, C: TryFrom<R, Error: std::fmt::Display>>(
    layer: LayerIdx,
    column: &'static str,
    raw: Option<R>,
) -> Result<Option<C>, LayerError> {
    let wrong = |reason: C::Error| LayerError::Column { layer, column, reason: reason.to_string() };
    raw.map(C::try_from).transpose().map_err(wrong)
}

impl LayerTrace {
    /// Nothing is known of this layer yet.
    pub fn empty(layer: LayerIdx) -> LayerTrace {
        LayerTrace {
            layer,
            rows: None,
            gate_logits: None,
            gate_probs: None,
            selection_scores: None,
            selection_bias: None,
            decision: None,
            output_norms: None,
        }
    }

    /// What a router of ours decided, and by which gate logits.
    pub fn decided(layer: LayerIdx, gate_logits: GateLogits, routing: Routing) -> LayerTrace {
        let (gate_logits, decision) = (Some(gate_logits), Some(Decision::Routing(routing)));
        LayerTrace { gate_logits, decision, ..LayerTrace::empty(layer) }
    }

    /// The whole decision, where a router of ours took it.
    pub fn routing(&self) -> Option<&Routing> {
        match &self.decision {
            Some(Decision::Routing(routing)) => Some(routing),
            _ => None,
        }
    }

    /// What another program wrote down of its decision.
    pub fn choices(&self) -> Option<&Choices> {
        match &self.decision {
            Some(Decision::Choices(choices)) => Some(choices),
            _ => None,
        }
    }

    /// The step's token that a row is of.
    pub fn token_of(&self, row: usize) -> Option<usize> {
        match &self.rows {
            Some(rows) => rows.get(row).map(|&token| token as usize),
            None => Some(row),
        }
    }

    /// Do all columns have a row for each of the step's tokens that has one? `first`: rows of earlier tokens are left out
    /// (of a delta), though a routing counts them.
    pub(crate) fn check(&self, first: usize, num_tokens: usize) -> Result<(), LayerError> {
        let layer = self.layer;
        if let Some(&token) =
            self.rows.iter().flatten().find(|token| !(first..num_tokens).contains(&(**token as usize)))
        {
            return Err(LayerError::Row { layer, token, num_tokens });
        }
        let num_rows = self.rows.as_ref().map_or(num_tokens - first, Vec::len);
        let check = |column, found: usize, expected: usize| match found == expected {
            true => Ok(()),
            false => Err(LayerError::Length { layer, column, found, expected }),
        };
        let of_logits = self.gate_logits.as_ref().map(|logits| logits.num_tokens());
        let of_scores = |scores: &Option<Scores>| scores.as_ref().map(Scores::num_rows);
        let columns = [
            ("rows of gate_logits", of_logits),
            ("rows of gate_probs", of_scores(&self.gate_probs)),
            ("rows of selection_scores", of_scores(&self.selection_scores)),
            ("rows of choices", self.choices().map(Choices::num_rows)),
            ("shared output_norms", self.output_norms.as_ref().and_then(|norms| norms.shared.as_ref()).map(Vec::len)),
        ];
        for (column, found) in columns {
            check(column, found.unwrap_or(num_rows), num_rows)?;
        }
        if let Some(norms) = &self.output_norms {
            check("output_norms", norms.experts.len(), self.num_requests())?;
        }
        match self.routing() {
            Some(routing) => check("tokens in its routing", routing.num_tokens as usize, num_tokens),
            None => Ok(()),
        }
    }

    /// Numbers of four bytes it takes, as good as.
    pub(crate) fn num_numbers(&self) -> u64 {
        let scores = |scores: &Option<Scores>| scores.as_ref().map_or(0, |scores| 2 * scores.values().len());
        let of_decision = match &self.decision {
            Some(Decision::Routing(routing)) => 7 * routing.assignments.len(),
            Some(Decision::Choices(choices)) => 4 * choices.expert_ids().len(),
            Some(Decision::Load(load)) => 2 * load.requests().len(),
            None => 0,
        };
        let norms = self.output_norms.as_ref();
        let of_norms = norms.map_or(0, |norms| 2 * norms.experts.len() + norms.shared.as_ref().map_or(0, Vec::len));
        let counts = [
            self.rows.as_ref().map_or(0, Vec::len),
            self.gate_logits.as_ref().map_or(0, |logits| logits.values().len()),
            scores(&self.gate_probs),
            scores(&self.selection_scores),
            self.selection_bias.as_ref().map_or(0, Vec::len),
            of_decision,
            of_norms,
        ];
        counts.into_iter().map(|count| count as u64).sum()
    }

    /// Assignments, or cells of the table of choices.
    fn num_requests(&self) -> usize {
        match &self.decision {
            Some(Decision::Routing(routing)) => routing.assignments.len(),
            Some(Decision::Choices(choices)) => choices.expert_ids().len(),
            Some(Decision::Load(_)) | None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, message: &str) {
        let layer = serde_json::from_str::<LayerTrace>(json).map_err(|error| error.to_string());
        let found = layer.and_then(|layer| layer.check(0, 2).map_err(|error| error.to_string()));
        let error = found.expect_err(message);
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn a_layer_decides_once() {
        let both = r#"{"layer":1,"choices":{"num_experts":2,"top_k":1,"expert_ids":[0,1]},"load":{"requests":[1,1]}}"#;
        check(both, "layer 1 has routing, choices and load in 2 of three");
    }

    #[test]
    fn columns_are_equally_long() {
        let short = r#"{"layer":1,"choices":{"num_experts":2,"top_k":1,"expert_ids":[0]}}"#;
        check(short, "layer 1 has 1 rows of choices; 2 belong there");
        let norms =
            r#"{"layer":1,"choices":{"num_experts":2,"top_k":1,"expert_ids":[0,1]},"output_norms":{"experts":[1]}}"#;
        check(norms, "layer 1 has 1 output_norms; 2 belong there");
        let routing = r#"{"layer":1,"routing":{"num_tokens":3,"num_experts":2,"capacity":null,"assignments":[]}}"#;
        check(routing, "layer 1 has 3 tokens in its routing; 2 belong there");
    }

    #[test]
    fn a_layer_may_have_rows_of_some_tokens_only() {
        let last = r#"{"layer":3,"rows":[1],"choices":{"num_experts":2,"top_k":1,"expert_ids":[0]}}"#;
        let layer: LayerTrace = serde_json::from_str(last).expect("parses");
        assert_eq!(layer.check(0, 2), Ok(()));
        assert_eq!((layer.token_of(0), layer.token_of(1)), (Some(1), None));
        assert_eq!(serde_json::to_string(&layer).expect("serialises"), last);
        check(&last.replace("[1]", "[2]"), "layer 3 has a row of token 2, and the step has 2 tokens");
        check(&last.replace("[1]", "[1,1]"), "layer 3: its rows are not ascending");
    }

    #[test]
    fn a_gate_without_a_decision_is_a_layer() {
        let layer: LayerTrace =
            serde_json::from_str(r#"{"layer":0,"gate_logits":{"num_experts":1,"values":[0.5,1.5]}}"#).expect("parses");
        assert_eq!((layer.decision.clone(), layer.check(0, 2)), (None, Ok(())));
    }
}
