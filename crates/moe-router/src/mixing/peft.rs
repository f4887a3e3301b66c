//! Mixtures of parameter-efficient experts: LoRA experts (MoLoRA, Zadouri et al. 2023, arXiv:2309.05444; LoRAMoE,
//! MixLoRA, LLaVA-MoLE) and vector experts (MoV, same paper).
//!
//! The base weights are frozen; only adapters and gates train. `gates` are dense softmax per token in MoLoRA, MoV and
//! LoRAMoE; a top-k mask of it without renormalisation is MoLoRA's option; MixLoRA takes top-2 with renormalised weights.
//! Causal, the same in training and inference. MoV's gate reads the activation it scales.
//! With a gate that does not depend on the token all of it folds into the base weights. One file for four methods: they
//! differ in where the gates come from, which is [`Mixer`](crate::Mixer)'s, and share what is done with them.
//!
//! One token `x` = (1.0, 0.5, -0.5), frozen output (0.7, -0.1), two experts with gates 0.75 and 0.25. MoLoRA adds
//! 16 · 0.75 · (x · down) · up for the first, and nothing for the second, which has not learned; MoV scales what is there.
//!
//! ```
//! use moe_router::example::assert_close;
//! use moe_router::matrix::Matrix;
//! use moe_router::mixing::peft::{LoraExpert, molora, mov};
//!
//! let (base, hidden) = (Matrix::new(2, vec![0.7, -0.1]), Matrix::new(3, vec![1.0, 0.5, -0.5]));
//! let gates = Matrix::new(2, vec![0.75, 0.25]);
//! let learned = LoraExpert { down: Matrix::new(1, vec![0.1, 0.2, 0.0]), up: Matrix::new(2, vec![0.5, -0.5]) };
//! let fresh = LoraExpert { down: Matrix::new(1, vec![0.3, 0.3, 0.3]), up: Matrix::new(2, vec![0.0, 0.0]) };
//! let output = molora(&base, &hidden, &gates, &[learned, fresh], 16.0);
//! assert_close(output.values(), &[1.9, -1.3]); // x · down = 0.2; 0.7 + 16 · 0.75 · 0.2 · 0.5 = 1.9
//! let scalings = Matrix::new(2, vec![1.2, 1.0, 0.8, 2.0]); // of two MoV experts
//! assert_close(mov(&base, &gates, &scalings).values(), &[0.77, -0.125]); // 0.7 · (0.75 · 1.2 + 0.25 · 0.8)
//! ```

use moe_trace::MixerSpec;

use crate::limits;
use crate::matrix::Matrix;
use crate::rule::{Argument, Explained, Family, Form, Mixes, Rule, Run, own};

/// What the rest of the project knows of MoLoRA.
pub static MOLORA: Rule = Rule {
    name: "molora",
    title: "MoLoRA",
    one_line: "LoRA experts, blended per token by the whole softmax or by its k largest shares as they are.",
    family: Family::ParameterEfficient,
    paper: "Zadouri et al. 2023, arXiv:2309.05444",
    equation: Some("code for-ai/parameter-efficient-moe: src/molora.py"),
    needs: "nothing",
    trained_with: "rank 2, alpha 16",
    at_inference: "the same",
    run: Run::Mixes(Mixes {
        form: Form {
            arguments: &[Argument::K.optional()],
            example: "molora",
            read: |given| Some(MixerSpec::Molora { k: given.count("k") }),
            print: own!(MixerSpec::Molora { k } => k.map(|k| ("k", k.into())).into_iter().collect()),
        },
        check: own!(MixerSpec::Molora { k }, num_columns => k.map_or(Ok(()), |k| limits::choices(k, num_columns))),
        looks_ahead: false,
    }),
};

/// It as a formula and in a few sentences.
pub static MOLORA_EXPLAINED: Explained = Explained {
    formula: "y = W · x + Σ_e p_e · B_e · A_e · x",
    text: "The model is frozen and experts are small: each a pair of thin matrices, a LoRA. A gate blends them for \
           each token. A fraction of a percent of the weights is trained, and the frozen model is there unchanged \
           below.",
};

/// Of MoV.
pub static MOV: Rule = Rule {
    name: "mov",
    title: "MoV",
    one_line: "Vectors that scale activations, blended per token by the whole softmax.",
    family: Family::ParameterEfficient,
    paper: "Zadouri et al. 2023, arXiv:2309.05444",
    equation: Some("code for-ai/parameter-efficient-moe: src/mov.py"),
    needs: "nothing",
    trained_with: "vectors of ones at first",
    at_inference: "the same",
    run: Run::Mixes(Mixes {
        form: Form { arguments: &[], example: "mov", read: |_| Some(MixerSpec::Mov), print: |_| Vec::new() },
        check: |_, _| Ok(()),
        looks_ahead: false,
    }),
};

/// It as a formula and in a few sentences.
pub static MOV_EXPLAINED: Explained = Explained {
    formula: "y = (Σ_e p_e · l_e) ⊙ (W · x)",
    text: "An expert is a vector that scales what a frozen layer gives. The gate blends the vectors for each token: \
           the cheapest experts there are, a few numbers each.",
};

/// Of LoRAMoE.
pub static LORAMOE: Rule = Rule {
    name: "loramoe",
    title: "LoRAMoE",
    one_line: "LoRA experts by the whole softmax; a localized loss keeps some for world knowledge.",
    family: Family::ParameterEfficient,
    paper: "Dou et al. 2024, arXiv:2312.09979",
    equation: Some("eq. 6-8"),
    needs: "nothing",
    trained_with: "8 experts, rank 4, alpha 32",
    at_inference: "the same",
    run: Run::Mixes(Mixes {
        form: Form { arguments: &[], example: "loramoe", read: |_| Some(MixerSpec::Loramoe), print: |_| Vec::new() },
        check: |_, _| Ok(()),
        looks_ahead: false,
    }),
};

/// It as a formula and in a few sentences.
pub static LORAMOE_EXPLAINED: Explained = Explained {
    formula: "y = W · x + {α}/{r} · Σ_e p_e · B_e · A_e · x",
    text: "LoRA experts of two kinds: some are to keep what the model knows of the world, some to learn the task. A \
           loss gives each kind its own sort of samples, so that tuning does not overwrite knowledge.",
};

/// Of MixLoRA.
pub static MIXLORA: Rule = Rule {
    name: "mixlora",
    title: "MixLoRA",
    one_line: "The two best LoRA experts per token, their shares renormalised.",
    family: Family::ParameterEfficient,
    paper: "Li et al. 2024, arXiv:2404.15159",
    equation: Some("code TUDB-Labs/MixLoRA: mixlora/model.py"),
    needs: "nothing",
    trained_with: "2 of 8 experts, balance loss 0.001",
    at_inference: "the same",
    run: Run::Mixes(Mixes {
        form: Form { arguments: &[], example: "mixlora", read: |_| Some(MixerSpec::Mixlora), print: |_| Vec::new() },
        check: |_, num_columns| limits::choices(2, num_columns),
        looks_ahead: false,
    }),
};

/// It as a formula and in a few sentences.
pub static MIXLORA_EXPLAINED: Explained = Explained {
    formula: "y = W · x + Σ_{e ∈ Top2(p)} {p_e}/{Σ_i p_i} · B_e · A_e · x",
    text: "LoRA experts of which each token asks the best two, as in Mixtral: the frozen feed-forward is shared by \
           all of them, and only what is added differs. Less to compute than blending all.",
};

/// A low-rank change of a projection: `x · down · up`.
#[derive(Debug, Clone, PartialEq)]
pub struct LoraExpert {
    /// `A`, `[d_in, rank]`.
    pub down: Matrix,
    /// `B`, `[rank, d_out]`, zero at first.
    pub up: Matrix,
}

/// `y = x W0 + α / r · Σ_e g_e · x A_e B_e`, `[tokens, d_out]`.
///
/// `base`: `x W0`, `[tokens, d_out]`. `hidden`: `x`, `[tokens, d_in]`. `gates`: `[tokens, experts]`.
pub fn molora(base: &Matrix, hidden: &Matrix, gates: &Matrix, experts: &[LoraExpert], alpha: f32) -> Matrix {
    let mut output: Vec<f64> = base.values().iter().map(|&value| f64::from(value)).collect();
    for (idx, expert) in experts.iter().enumerate() {
        let scale = f64::from(alpha) / expert.down.width() as f64;
        let change = hidden.times(&expert.down).times(&expert.up);
        let rows = output.chunks_mut(base.width()).zip(change.rows()).zip(gates.rows());
        for ((output, change), gates) in rows {
            for (output, &change) in output.iter_mut().zip(change) {
                *output += scale * f64::from(gates[idx]) * f64::from(change);
            }
        }
    }
    Matrix::rounded(base.width(), output)
}

/// `y = (x W0) ⊙ Σ_e g_e · l_e`, `[tokens, d_out]`.
///
/// `base`: `[tokens, d_out]`. `gates`: `[tokens, experts]`. `scalings`: `[experts, d_out]`, ones at first.
pub fn mov(base: &Matrix, gates: &Matrix, scalings: &Matrix) -> Matrix {
    let scalings = gates.times(scalings);
    let products = base.values().iter().zip(scalings.values()).map(|(&y, &l)| f64::from(y) * f64::from(l));
    Matrix::rounded(base.width(), products)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_that_have_not_learned_change_nothing() {
        let base = Matrix::new(2, vec![1.0, 2.0, 3.0, 4.0]);
        let hidden = Matrix::new(1, vec![1.0, 2.0]);
        let gates = Matrix::new(2, vec![0.5, 0.5, 0.9, 0.1]);
        let fresh = LoraExpert { down: Matrix::new(1, vec![0.7]), up: Matrix::new(2, vec![0.0, 0.0]) };
        assert_eq!(molora(&base, &hidden, &gates, &[fresh.clone(), fresh], 16.0), base);
        assert_eq!(mov(&base, &gates, &Matrix::new(2, vec![1.0; 4])), base);
    }
}
