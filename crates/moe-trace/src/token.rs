//! What went into a step: tokens of a text, or patches of an image.

use serde::{Deserialize, Serialize};

use crate::ids::TokenId;

/// A token as it went into a step: `bytes` of a text or a `patch` of an image. What nobody recorded is absent.
/// docs/TRACE_FORMAT.md says what each field means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "codegen", ts(as = "RawToken"), schemars(!try_from))]
#[serde(try_from = "RawToken")]
pub struct TracedToken {
    /// Its entry of the vocabulary. A patch has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<TokenId>,
    /// What it stands for.
    #[serde(flatten)]
    #[cfg_attr(feature = "codegen", schemars(with = "OptionalContent"))]
    pub content: Option<TokenContent>,
    /// `-ln p(token | tokens before it)` in nats, in this pass; `None` for the first token of the text, which nothing
    /// predicts, for a token whose predecessor was not part of this or the previous step, and where it was not recorded.
    pub loss: Option<f32>,
    /// Of a token that a smaller model had guessed (speculative decoding): did it stay?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
}

/// What a token stands for. In JSON the key `bytes` or `patch` stands beside the token's other fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenContent {
    /// Bytes of the text. They may be a fragment of a character; views join fragments before they decode.
    Bytes(Vec<u8>),
    /// A patch of an image.
    Patch(Patch),
}

/// A content or none, as others see it: at most one of these.
#[cfg(feature = "codegen")]
#[derive(schemars::JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
struct OptionalContent {
    bytes: Option<Vec<u8>>,
    patch: Option<Patch>,
}

/// Where a patch lies, all counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Patch {
    /// Which image of the input.
    pub image: u32,
    pub row: u32,
    pub column: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token is bytes of a text or a patch of an image, and this one is both")]
pub struct TwoContents;

/// As JSON has it; in TypeScript too.
#[derive(Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS))]
struct RawToken {
    #[cfg_attr(feature = "codegen", ts(optional))]
    id: Option<TokenId>,
    #[cfg_attr(feature = "codegen", ts(optional))]
    bytes: Option<Vec<u8>>,
    #[cfg_attr(feature = "codegen", ts(optional))]
    patch: Option<Patch>,
    loss: Option<f32>,
    #[cfg_attr(feature = "codegen", ts(optional))]
    accepted: Option<bool>,
}

impl TryFrom<RawToken> for TracedToken {
    type Error = TwoContents;

    fn try_from(raw: RawToken) -> Result<TracedToken, TwoContents> {
        let content = match (raw.bytes, raw.patch) {
            (Some(_), Some(_)) => return Err(TwoContents),
            (Some(bytes), None) => Some(TokenContent::Bytes(bytes)),
            (None, Some(patch)) => Some(TokenContent::Patch(patch)),
            (None, None) => None,
        };
        Ok(TracedToken { id: raw.id, content, loss: raw.loss, accepted: raw.accepted })
    }
}

impl TracedToken {
    /// A token of a text, as an engine of ours knows it.
    pub fn text(id: TokenId, bytes: Vec<u8>, loss: Option<f32>) -> TracedToken {
        TracedToken { id: Some(id), content: Some(TokenContent::Bytes(bytes)), loss, accepted: None }
    }

    /// Its bytes, where it is text and they were recorded; else empty.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Some(TokenContent::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_stands_beside_the_other_fields() {
        let check = |token: TracedToken, json: &str| {
            assert_eq!(serde_json::to_string(&token).expect("serialises"), json);
            assert_eq!(serde_json::from_str::<TracedToken>(json).expect("parses"), token);
        };
        check(TracedToken::text(TokenId(45), vec![77], None), r#"{"id":45,"bytes":[77],"loss":null}"#);
        let patch = Some(TokenContent::Patch(Patch { image: 0, row: 1, column: 2 }));
        let patch = TracedToken { id: None, content: patch, loss: None, accepted: None };
        check(patch, r#"{"patch":{"image":0,"row":1,"column":2},"loss":null}"#);
        let guessed = TracedToken { id: None, content: None, loss: None, accepted: Some(false) };
        check(guessed, r#"{"loss":null,"accepted":false}"#);
    }

    #[test]
    fn two_contents_or_other_bytes_are_refused() {
        let check = |json: &str, message: &str| {
            let error = serde_json::from_str::<TracedToken>(json).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
        };
        check(r#"{"bytes":[1],"patch":{"image":0,"row":1,"column":2}}"#, "this one is both");
        check(r#"{"bytes":"M"}"#, "invalid type");
        check(r#"{"bytes":[256]}"#, "invalid value");
    }
}
