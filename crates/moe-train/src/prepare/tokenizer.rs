//! Byte-level BPE of 1,024 tokens: `<|end|>`, the 256 bytes, and 767 merges learnt from all domains alike.

use anyhow::{Context, Result, anyhow, ensure};
use moe_model::tokenizer::PATTERN;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{AddedToken, DecoderWrapper, SplitDelimiterBehavior, Tokenizer, TokenizerBuilder};

pub const VOCABULARY: usize = 1_024;
/// Stands after every document.
pub const END: &str = "<|end|>";
pub const END_ID: u16 = 0;

/// Learns the merges from `texts`: give it as much of each domain as of the others.
pub fn train<'a>(texts: impl Iterator<Item = &'a str> + Send) -> Result<Tokenizer> {
    // `ByteLevel` writes bytes as printable letters; its own pattern is switched off in favour of the one that engines know.
    let byte_level = ByteLevel::new(false, false, false);
    let pieces = Split::new(SplitPattern::Regex(PATTERN.to_owned()), SplitDelimiterBehavior::Isolated, false);
    let pieces = pieces.map_err(|error| anyhow!("the pattern of pieces: {error}"))?;
    let pre_tokenizer = Sequence::new(vec![pieces.into(), byte_level.into()]);

    let mut trainer = BpeTrainerBuilder::new()
        .vocab_size(VOCABULARY)
        .min_frequency(2)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from(END, true)])
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build();
    let mut tokenizer =
        TokenizerBuilder::<BPE, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>::new()
            .with_model(BPE::default())
            .with_normalizer(None)
            .with_pre_tokenizer(Some(pre_tokenizer.into()))
            .with_post_processor(None)
            .with_decoder(Some(byte_level.into()))
            .build()
            .map_err(|error| anyhow!("the tokenizer: {error}"))?;
    tokenizer.train(&mut trainer, texts).map_err(|error| anyhow!("training the tokenizer: {error}"))?;

    let json = tokenizer.to_string(false).map_err(|error| anyhow!("writing the tokenizer: {error}"))?;
    let tokenizer = from_json(&json)?;
    let size = tokenizer.get_vocab_size(true);
    ensure!(size == VOCABULARY, "the text was enough for {size} tokens, {VOCABULARY} were wanted");
    ensure!(tokenizer.token_to_id(END) == Some(u32::from(END_ID)), "{END} is not token {END_ID}");
    Ok(tokenizer)
}

/// Reads `tokenizer.json`. The letters `<|end|>` in a text are letters: only we end documents.
pub fn from_json(json: &str) -> Result<Tokenizer> {
    let mut tokenizer: Tokenizer = json.parse().map_err(|error| anyhow!("reading the tokenizer: {error}"))?;
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}

/// Token ids of `text`, without an end.
pub fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u16>> {
    let encoding = tokenizer.encode_fast(text, false).map_err(|error| anyhow!("encoding: {error}"))?;
    let ids = encoding.get_ids().iter().map(|&id| u16::try_from(id));
    ids.collect::<Result<_, _>>().context("a vocabulary of more than 65,536 tokens")
}

/// The text of `ids`. A character whose bytes are not all there becomes `U+FFFD`.
pub fn decode(tokenizer: &Tokenizer, ids: &[u16]) -> Result<String> {
    let ids: Vec<u32> = ids.iter().map(|&id| u32::from(id)).collect();
    tokenizer.decode(&ids, false).map_err(|error| anyhow!("decoding: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    /// Varied enough for 767 merges: words of any three of a few syllables, as lines of indented code.
    static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| {
        let syllables = ["ba", "co", "du", "fe", "gi", "ho", "ju", "lem", "nor", "pas", "qui", "ros", "vel"];
        let mut text = String::new();
        for (a, b, c) in syllables.iter().flat_map(|a| syllables.map(|b| syllables.map(|c| (a, b, c)))).flatten() {
            text.push_str(&format!("    {a}{b}{c} = 12;\n"));
        }
        train([text.as_str(), text.as_str()].into_iter()).expect("enough text")
    });

    fn check_round_trip(text: &str) {
        let ids = encode(&TOKENIZER, text).expect("any text has tokens");
        assert_eq!(decode(&TOKENIZER, &ids).expect("any tokens have a text"), text);
        assert!(!ids.contains(&END_ID), "{text:?} holds an end");
    }

    #[test]
    fn any_text_comes_back() {
        for text in
            ["", " ", "  two  blanks ", "fn main() {\n\tlet x = 1_000;\n    }\r\n\n", "it's 12 + 345 = 357", "l'été"]
        {
            check_round_trip(text);
        }
        for text in
            ["👩‍👩‍👧‍👦 🇪🇸 🤷🏽", "שלום עולם", "مرحبا ١٢٣", "日本語テキスト", "e\u{301}\u{200D}\u{FEFF}", "\0\u{1}\u{7F}\u{1E}"]
        {
            check_round_trip(text);
        }
        check_round_trip("not <|end|> of it");
        let every_char: String = (0..0x3000).chain(0x1F300..0x1F700).filter_map(char::from_u32).collect();
        check_round_trip(&every_char);
    }

    #[test]
    fn a_torn_character_does_no_harm() {
        let ids = encode(&TOKENIZER, "a👍b").expect("any text has tokens");
        for start in 0..ids.len() {
            for end in start..=ids.len() {
                decode(&TOKENIZER, &ids[start..end]).expect("any tokens have a text");
            }
        }
        assert!(decode(&TOKENIZER, &ids[1..3]).expect("any tokens have a text").contains('\u{FFFD}'));
    }

    #[test]
    fn digits_stand_alone_and_indentation_is_one_token() {
        let pieces = |text: &str| {
            let ids = encode(&TOKENIZER, text).expect("any text has tokens");
            ids.iter().map(|&id| decode(&TOKENIZER, &[id]).expect("a token has a text")).collect::<Vec<_>>()
        };
        assert_eq!(pieces("121 12"), ["1", "2", "1", " ", "1", "2"]);
        assert_eq!(pieces(";\n    bac")[..2], [";", "\n   "]);
    }

    #[test]
    fn the_file_says_the_same_as_the_tokenizer() {
        let json = TOKENIZER.to_string(true).expect("it can be written");
        let read = from_json(&json).expect("it can be read");
        let text = "    baco tubation = 12; <|end|>";
        assert_eq!(encode(&read, text).expect("tokens"), encode(&TOKENIZER, text).expect("tokens"));
        assert_eq!(read.id_to_token(0).as_deref(), Some(END));
    }
}
