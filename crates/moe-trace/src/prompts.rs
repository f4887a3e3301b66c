//! Prompts to begin with, one for every kind of text that a shipped model has learned. The page offers them; a test of
//! `moe-train` keeps true what is said of those of the default model.

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

/// The model that was tuned on questions and answers, by its folder.
const ASKED: &str = "instruct";

/// What it can be asked: kind and prompt, as it has seen them in training (`moe-train`, `prepare/instructions.rs`).
const QUESTIONS: [(&str, &str); 5] = [
    ("Sum", "Question: What is 309 + 390?\nAnswer:"),
    ("Product", "Question: What is 12 * 30?\nAnswer:"),
    ("Copying", "Question: Copy these words: stone valley basket\nAnswer:"),
    ("Sorting", "Question: Sort these numbers: 44 59 7 93 76\nAnswer:"),
    ("JSON", "Question: Write as JSON: Ada is 36 years old and has a pencil.\nAnswer:"),
];

/// Kinds and prompts for the model of this name.
pub fn of_model(name: &str) -> Vec<(&'static str, &'static str)> {
    match name {
        ASKED => QUESTIONS.to_vec(),
        _ => EXAMPLES.map(|Example { kind, prompt, .. }| (kind, prompt)).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_learned_answers_is_asked() {
        let asked = of_model("instruct");
        assert!(asked.iter().all(|(_, prompt)| prompt.starts_with("Question: ") && prompt.ends_with("\nAnswer:")));
        assert_eq!(of_model("default").len(), EXAMPLES.len());
        assert_eq!(of_model(""), of_model("default"));
    }
}
