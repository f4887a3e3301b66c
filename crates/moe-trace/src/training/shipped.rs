//! Texts that come with the page, each of a kind.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

/// A text of a kind. It is part of the request, so a saved training has its text with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct KindText {
    pub kind: String,
    #[cfg_attr(feature = "codegen", ts(type = "string"), schemars(with = "String"))]
    pub text: SharedText,
}

/// A long text that many requests hold and none copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct SharedText(Rc<str>);

impl From<String> for SharedText {
    fn from(text: String) -> SharedText {
        SharedText(text.into())
    }
}

impl From<SharedText> for String {
    fn from(text: SharedText) -> String {
        text.0.as_ref().to_owned()
    }
}

impl SharedText {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
