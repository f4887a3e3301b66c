//! A rule for who wants to understand it. Apart from [`Rule`](super::Rule), so that a page which explains nothing is
//! spared the words.

/// What a rule does, as a formula and in a few sentences.
#[derive(Debug, Clone, Copy)]
pub struct Explained {
    /// In the form of [`AuxiliaryLoss::formula`](crate::auxiliary::AuxiliaryLoss::formula). `x` a token's hidden state, `z`
    /// its gate logits, `p` their softmax, `w` weights, `T` tokens, `E` experts.
    pub formula: &'static str,
    /// Why it is as it is, and what it costs.
    pub text: &'static str,
}
