//! Prompts to begin with, one for every kind of text the shipped model has learned. The page offers them; a test of
//! `moe-train` keeps what is said of them true.

/// A prompt, and what becomes of it in the shipped model as it was trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// The kind of text, as a reader knows it.
    pub kind: &'static str,
    pub prompt: &'static str,
    /// Requests that find an expert full, over all layers, when the prompt alone is the group.
    pub lost: u32,
}

/// The first is the prompt of the page's first picture: exactly one of its tokens finds an expert full.
pub const EXAMPLES: [Example; 6] = [
    Example { kind: "Prose", prompt: "Miss Bennet was very fond of her cousin, and it was", lost: 1 },
    Example { kind: "Speech", prompt: "My fellow Americans, the state of our Union is strong, and", lost: 10 },
    Example { kind: "Spanish", prompt: "Y dijo el rey al pueblo: He aquí, yo os", lost: 18 },
    Example { kind: "Rust", prompt: "impl<T> Option<T> {\n    pub fn is_some(&self) -> bool {\n", lost: 17 },
    Example { kind: "JSON", prompt: "\"support\": {\n  \"chrome\": {\n    \"version_added\":", lost: 15 },
    Example { kind: "Arithmetic", prompt: "12 + 30 = 42\n7 * 8 = 56\nsort 9 2 5 =", lost: 19 },
];
