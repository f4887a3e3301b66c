//! The first line of a trace file: where its steps come from, how to read their columns, and what is not in them.

use serde::{Deserialize, Serialize};

use crate::ids::LayerIdx;
use crate::limits::LAYERS;
use crate::model_info::ModelInfo;
use crate::request::RunRequest;

/// Version of the trace format this crate writes. Readers accept this and every older one.
pub const SCHEMA_VERSION: u32 = 2;

/// First line of a trace file: everything needed to say where the steps come from and, of a run of ours, to run them again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", schemars(!try_from))]
#[serde(try_from = "RawHeader")]
pub struct TraceHeader {
    pub schema_version: u32,
    pub origin: Origin,
    pub routes: RouteSchema,
    /// A model of ours; of others `origin` has the name.
    pub model: Option<ModelInfo>,
    /// What was asked for. Another program's request is not known.
    pub request: Option<RunRequest>,
    /// Parts that the source does not have. Readers name them, and never draw them as zero.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "codegen", ts(as = "Option<Vec<Part>>", optional))]
    pub absent: Vec<Part>,
    /// What to say to those who look at it: a hole that was found, a guess that was made. Whole sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "codegen", ts(as = "Option<Vec<String>>", optional))]
    pub notes: Vec<String>,
}

/// Where a trace comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Origin {
    pub source: Source,
    /// The program that computed the routes: `moe-playground`, `vllm`, `sglang`, `llama.cpp`, `transformers` …
    pub producer: String,
    /// Its version, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub version: Option<String>,
    /// The format it was read from, where that was not this one: `sglang-schema`, `hf-router-logits` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub format: Option<String>,
    /// The model's name, as the source has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "codegen", ts(optional))]
    pub model_name: Option<String>,
}

/// Where numbers on the screen come from. Shown on every panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    LiveGpu,
    LiveCpu,
    /// A real earlier run of the same model.
    Recorded,
    /// A file the reader brought.
    Imported,
}

/// What the numbers in the layers' columns mean. Names are those of SGLang's `expert_ids_schema` where they say the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RouteSchema {
    /// Transformer blocks of the model, those without experts included.
    pub num_layers: Option<u32>,
    /// Experts a token asks, at most; absent where the rule sets no number.
    pub top_k: Option<u32>,
    /// The numbers of the MoE layers in the model, ascending; absent where unknown, and then layers are counted among
    /// the MoE layers from 0.
    pub moe_layer_ids: Option<Vec<LayerIdx>>,
    pub num_experts: ExpertCount,
    #[serde(default)]
    pub id_space: IdSpace,
    #[serde(default)]
    pub rank_order: RankOrder,
    #[serde(default)]
    pub weight_kind: WeightKind,
}

/// Experts of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ExpertCount {
    Exactly(u32),
    /// Nobody says how many; so many as the highest id seen, and one.
    AtLeast(u32),
    /// Not even an id was seen.
    Unknown,
}

/// What an expert's id counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum IdSpace {
    /// The experts of the model.
    #[default]
    LogicalGlobal,
    /// Places in the memory of a server, which keeps some experts twice. Not comparable between runs.
    Physical,
}

/// The order in which the experts of a row are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RankOrder {
    /// The token's first choice comes first.
    #[default]
    Preference,
    /// By ascending id: which was the first choice is not known.
    ExpertId,
    /// The source does not say: there is no first choice to show.
    NotStated,
}

/// What the weights of `choices` are. Those of a `routing` are always applied ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WeightKind {
    /// What the expert's output is multiplied with.
    #[default]
    Applied,
    /// The gate's value before the chosen ones are normalised: as `weight_raw` of a routing.
    Raw,
}

/// A part of a trace that a source may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Which experts single tokens asked.
    ExpertIds,
    /// How often each expert was asked, where that is all a source could have.
    Load,
    Weights,
    GateLogits,
    GateProbs,
    /// Who was served and who was turned away.
    Fates,
    NumExperts,
    TopK,
    MoeLayerIds,
    TokenIds,
    /// Of the prompt; those of the tokens that were written are there.
    PromptTokenIds,
    TokenText,
    Positions,
    Losses,
    /// What the model expected next.
    Expectations,
    SelectionBias,
    SelectionScores,
    SharedOutputNorms,
}

/// Why a line is not the header of a trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("the trace has schema version {found}; this build reads versions 1 to {SCHEMA_VERSION}")]
    Version { found: u32 },
    #[error("a header of schema version {version} needs {key}")]
    Missing { version: u32, key: &'static str },
    #[error("model.num_layers is {found}; the format allows at most {LAYERS}")]
    Layers { found: u32 },
    #[error("the header's moe_layer_ids are not ascending")]
    LayerOrder,
}

/// Of any version.
#[derive(Deserialize)]
struct RawHeader {
    schema_version: u32,
    /// Version 1 had it here.
    source: Option<Source>,
    origin: Option<Origin>,
    routes: Option<RouteSchema>,
    model: Option<ModelInfo>,
    request: Option<RunRequest>,
    #[serde(default)]
    absent: Vec<Part>,
    #[serde(default)]
    notes: Vec<String>,
}

impl TryFrom<RawHeader> for TraceHeader {
    type Error = HeaderError;

    fn try_from(raw: RawHeader) -> Result<TraceHeader, HeaderError> {
        let version = raw.schema_version;
        let missing = |key| HeaderError::Missing { version, key };
        match version {
            // A run of ours, and all of it was there.
            1 => {
                let model = raw.model.ok_or(missing("model"))?;
                let request = raw.request.ok_or(missing("request"))?;
                let source = raw.source.ok_or(missing("source"))?;
                // Its layers are listed below.
                if u64::from(model.num_layers) > LAYERS {
                    return Err(HeaderError::Layers { found: model.num_layers });
                }
                let header = TraceHeader::of_run(source, model, request, None);
                Ok(TraceHeader { origin: Origin { version: None, ..header.origin }, ..header })
            }
            SCHEMA_VERSION => {
                let routes = raw.routes.ok_or(missing("routes"))?;
                if routes.moe_layer_ids.as_ref().is_some_and(|ids| !ids.is_sorted_by(|a, b| a < b)) {
                    return Err(HeaderError::LayerOrder);
                }
                Ok(TraceHeader {
                    schema_version: version,
                    origin: raw.origin.ok_or(missing("origin"))?,
                    routes,
                    model: raw.model,
                    request: raw.request,
                    absent: raw.absent,
                    notes: raw.notes,
                })
            }
            found => Err(HeaderError::Version { found }),
        }
    }
}

impl TraceHeader {
    /// Of a run of ours, where everything is known. `top_k`: what the rule of the request says of itself.
    pub fn of_run(source: Source, model: ModelInfo, request: RunRequest, top_k: Option<u32>) -> TraceHeader {
        let routes = RouteSchema {
            num_layers: Some(model.num_layers),
            top_k,
            moe_layer_ids: Some((0..model.num_layers).map(LayerIdx).collect()),
            num_experts: ExpertCount::Exactly(model.num_experts),
            id_space: IdSpace::LogicalGlobal,
            rank_order: RankOrder::Preference,
            weight_kind: WeightKind::Applied,
        };
        TraceHeader {
            schema_version: SCHEMA_VERSION,
            origin: Origin::ours(source),
            routes,
            model: Some(model),
            request: Some(request),
            absent: Vec::new(),
            notes: Vec::new(),
        }
    }
}

impl Origin {
    /// This version of this project.
    pub fn ours(source: Source) -> Origin {
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        Origin { source, producer: "moe-playground".to_owned(), version, format: None, model_name: None }
    }
}

impl ExpertCount {
    /// As many as are known of.
    pub fn known(self) -> u32 {
        match self {
            ExpertCount::Exactly(count) | ExpertCount::AtLeast(count) => count,
            ExpertCount::Unknown => 0,
        }
    }
}
