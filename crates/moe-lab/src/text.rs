//! What is learned, as tokens: each a byte.

use moe_learn::{Corpus, Domain};
use moe_trace::UserError;
use moe_trace::training::{KindText, TrainingText};

use crate::{grammars, sums};

/// One per byte.
pub const VOCABULARY: usize = 256;

/// Bytes of each grammar and each modulus.
const SYNTHETIC_BYTES: usize = 60_000;

/// Of a text, the part that is held out: its last tenth.
const HELD_OUT: usize = 10;

/// The texts of a training, `num_tokens` being the length of a sequence.
pub fn corpus(text: &TrainingText, seed: u64, num_tokens: usize) -> Result<Corpus, UserError> {
    let domains = match text {
        TrainingText::Shipped { texts } => {
            texts.iter().map(|KindText { kind, text }| domain(kind.clone(), text.as_str().as_bytes())).collect()
        }
        TrainingText::Own { text } => vec![domain("your text".to_owned(), text.as_bytes())],
        TrainingText::Grammars { count } => {
            let grammar =
                |number| domain(format!("grammar {}", number + 1), &grammars::write(seed, number, SYNTHETIC_BYTES));
            (0..u64::from(*count)).map(grammar).collect()
        }
        TrainingText::ModularSums { moduli } => {
            let of_modulus =
                |&modulus: &u32| domain(format!("modulo {modulus}"), &sums::write(seed, modulus, SYNTHETIC_BYTES));
            moduli.iter().map(of_modulus).collect()
        }
    };
    let corpus = Corpus { domains, vocab_size: VOCABULARY };
    let too_short = |error: moe_learn::corpus::TooShort| {
        UserError::new(
            "The training did not start.",
            format!(
                "Of {}, {} bytes are left for one of its two parts, training and held-out; a sequence needs {}.",
                error.name, error.found, error.needed
            ),
            "Give a longer text, or choose shorter sequences.",
        )
    };
    corpus.ensure_windows_of(num_tokens).map_err(too_short)?;
    Ok(corpus)
}

fn domain(name: String, text: &[u8]) -> Domain {
    let tokens: Vec<u16> = text.iter().map(|&byte| u16::from(byte)).collect();
    let (train, valid) = tokens.split_at(tokens.len() - tokens.len() / HELD_OUT);
    Domain { name, train: train.to_vec(), valid: valid.to_vec(), valid_bytes_per_token: 1.0 }
}

/// Nats per token for whoever knows only how frequent each token is, all kinds of text being equally frequent.
pub fn floor(corpus: &Corpus) -> f32 {
    let mut chances = vec![0.0f64; corpus.vocab_size];
    for domain in &corpus.domains {
        let share = 1.0 / (domain.train.len() * corpus.domains.len()) as f64;
        domain.train.iter().for_each(|&token| chances[usize::from(token)] += share);
    }
    -chances.iter().filter(|chance| **chance > 0.0).map(|chance| chance * chance.ln()).sum::<f64>() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: TrainingText) -> Result<Corpus, UserError> {
        corpus(&text, 1, 16)
    }

    #[test]
    fn a_text_is_its_bytes_and_the_last_tenth_is_held_out() {
        let text = "abcdefghij".repeat(30);
        let corpus = of(TrainingText::Own { text: text.clone() }).expect("300 bytes");
        let Domain { train, valid, .. } = &corpus.domains[0];
        assert_eq!((train.len(), valid.len()), (270, 30));
        let bytes: Vec<u16> = text.bytes().map(u16::from).collect();
        assert_eq!([&train[..], &valid[..]].concat(), bytes);
        assert!((floor(&corpus) - 10.0f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn too_little_text_is_said_with_numbers() {
        let error = of(TrainingText::Own { text: "abc".repeat(50) }).err().expect("15 bytes are held out");
        assert!(error.why.contains("15 bytes") && error.why.contains("needs 18"), "{error}");
        let texts = [("long", 60), ("short", 3)]
            .map(|(kind, repeated)| KindText { kind: kind.to_owned(), text: "one two three ".repeat(repeated).into() });
        let error = of(TrainingText::Shipped { texts: texts.to_vec() }).err().expect("4 bytes are held out");
        assert!(error.why.contains("Of short, 4 bytes"), "{error}");
        let corpus = of(TrainingText::Shipped { texts: texts[..1].to_vec() }).expect("840 bytes");
        assert_eq!((&corpus.domains[0].name[..], corpus.domains[0].valid.len()), ("long", 84));
    }

    #[test]
    fn every_grammar_and_modulus_is_a_kind_of_its_own() {
        let names = |text| of(text).expect("they are long enough").domains.into_iter().map(|domain| domain.name);
        assert!(names(TrainingText::Grammars { count: 2 }).eq(["grammar 1", "grammar 2"]));
        assert!(names(TrainingText::ModularSums { moduli: vec![5, 7] }).eq(["modulo 5", "modulo 7"]));
    }
}
