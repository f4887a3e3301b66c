//! Text to tokens and back: byte-level BPE from a `tokenizer.json`.
//!
//! Learning one is the library `tokenizers`' (`moe-train prepare`); to split texts as its files say takes little, and tests
//! hold it equal to the library.

mod classes;
mod file;
mod merges;
mod pieces;

use std::collections::HashMap;

use moe_trace::limits::TOKEN_BYTES;

use file::{Cutting, unreadable};
use merges::Merges;
pub use pieces::PATTERN;

/// A byte-level tokenizer. Any text encodes, and the bytes of its tokens joined are the text.
pub struct Tokenizer {
    cutting: Cutting,
    merges: Merges,
    /// The token of every byte.
    of_byte: [u32; 256],
    /// The bytes of every token, by id.
    bytes: Vec<Vec<u8>>,
}

/// A `tokenizer.json` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    #[error("the tokenizer cannot be read: {0}")]
    Unreadable(String),
    #[error("token {id} is not spelled in the byte-level alphabet")]
    NotByteLevel { id: u32 },
    #[error("token {id} has {len} bytes; a token has at most {TOKEN_BYTES}")]
    Long { id: u32, len: usize },
    #[error("no token stands for the byte {byte}, so that texts would lose it")]
    NoByte { byte: u8 },
}

/// Stands between documents; a model that writes it ends its text. Tokenizers of ours give it the first id
/// (`moe-train prepare`); a model that others made would have to name its own.
pub const END_OF_TEXT: u32 = 0;

impl Tokenizer {
    pub fn from_json(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
        let file = file::read(json)?;
        let letters = byte_of_letter();
        let spelled = |(id, spelling): (u32, &String)| {
            if id == END_OF_TEXT {
                return Ok(Vec::new());
            }
            let byte = |letter| letters.get(&letter).copied().ok_or(TokenizerError::NotByteLevel { id });
            spelling.chars().map(byte).collect()
        };
        let bytes = (0..).zip(&file.spellings).map(spelled).collect::<Result<Vec<Vec<u8>>, _>>()?;
        if let Some(id) = bytes.iter().position(|bytes| bytes.len() as u64 > TOKEN_BYTES) {
            return Err(TokenizerError::Long { id: id as u32, len: bytes[id].len() });
        }
        let mut of_byte = [END_OF_TEXT; 256];
        for (id, bytes) in (0..).zip(&bytes) {
            if let [byte] = bytes[..] {
                of_byte[usize::from(byte)] = id;
            }
        }
        if let Some(byte) = (0..=u8::MAX).find(|&byte| of_byte[usize::from(byte)] == END_OF_TEXT) {
            return Err(TokenizerError::NoByte { byte });
        }
        let merges = merges(&file)?;
        Ok(Tokenizer { cutting: file.cutting, merges, of_byte, bytes })
    }

    pub fn vocab_size(&self) -> usize {
        self.bytes.len()
    }

    /// Token ids of a text. Their bytes joined are the text; the letters of a special token are letters.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len() / 2);
        let mut add =
            |piece: &str| self.merges.merged(piece.bytes().map(|byte| self.of_byte[usize::from(byte)]), &mut ids);
        match self.cutting {
            Cutting::Nothing => add(text),
            Cutting::Pieces => pieces::pieces(text).for_each(add),
        }
        ids
    }

    /// The bytes of a token: perhaps a fragment of a character, none for the end of the text.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize).map_or(&[], Vec::as_slice)
    }
}

/// The file's merges by ids. What a pair becomes is spelled as the two are, so that bytes stay what they are.
fn merges(file: &file::File) -> Result<Merges, TokenizerError> {
    let ids: HashMap<&str, u32> = file.spellings.iter().map(String::as_str).zip(0..).collect();
    let id = |spelling: &str| {
        let id = ids.get(spelling).copied().filter(|&id| id != END_OF_TEXT);
        id.ok_or_else(|| unreadable(format!("a merge is about {spelling:?}, which is no token that texts have")))
    };
    let by_ids = |[first, second]: &[String; 2]| Ok(((id(first)?, id(second)?), id(&format!("{first}{second}"))?));
    let by_ids: Vec<_> = file.merges.iter().map(by_ids).collect::<Result<_, TokenizerError>>()?;
    Ok(Merges::new(by_ids.into_iter()))
}

/// GPT-2's alphabet: printable bytes stand for themselves, the other ones for the letters from U+0100 on, in order.
fn byte_of_letter() -> HashMap<char, u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut others = (0x100..).filter_map(char::from_u32);
    let letter = |byte| if printable(byte) { char::from(byte) } else { others.next().unwrap_or_default() };
    (0..=u8::MAX).map(letter).zip(0..=u8::MAX).collect()
}

#[cfg(test)]
mod tests {
    use moe_fuzz::json::spoilt;
    use moe_fuzz::trial;
    use serde_json::{Value, json};

    use super::*;

    const TOKENIZER: &[u8] = include_bytes!("../../../www/site/models/default/tokenizer.json");

    #[test]
    fn bytes_of_tokens_joined_are_the_text() {
        let tokenizer = Tokenizer::from_json(TOKENIZER).expect("the shipped tokenizer");
        for text in
            ["", " ", "The cat sat.", "l'été 👩‍👩‍👧‍👦", "שלום עולם", "fn main() {\n\tlet x = 12;\n}\r\n", "<|end|>", "\0"]
        {
            let ids = tokenizer.encode(text);
            let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.bytes(id)).copied().collect();
            assert_eq!(bytes, text.as_bytes());
            assert!(!ids.contains(&END_OF_TEXT), "{text:?} ends itself");
        }
    }

    #[test]
    fn a_long_word_takes_no_time() {
        let tokenizer = Tokenizer::from_json(TOKENIZER).expect("the shipped tokenizer");
        // A scan for each merge would take minutes.
        assert!(tokenizer.encode(&"the".repeat(100_000)).len() < 300_000);
    }

    /// The shipped one with the bytes and a few merges only.
    fn small() -> Value {
        let mut json: Value = serde_json::from_slice(TOKENIZER).expect("it is JSON");
        let model = &mut json["model"];
        let keep = 265;
        model["vocab"].as_object_mut().expect("a vocabulary").retain(|_, id| id.as_u64() < Some(keep));
        model["merges"].as_array_mut().expect("merges").truncate(keep as usize - 257);
        json
    }

    #[test]
    fn merges_may_be_written_in_one() {
        let (lists, mut words) = (small(), small());
        for merge in words["model"]["merges"].as_array_mut().expect("merges") {
            *merge = json!(format!("{} {}", merge[0].as_str().expect("text"), merge[1].as_str().expect("text")));
        }
        let [lists, words] =
            [lists, words].map(|json| Tokenizer::from_json(json.to_string().as_bytes()).expect("merges"));
        assert_eq!(lists.encode("        the other"), words.encode("        the other"));
        assert_eq!(lists.encode("    ").len(), 1);
    }

    #[test]
    fn what_would_split_texts_in_another_way_is_refused() {
        let check = |change: fn(&mut Value), message: &str| {
            let mut json = small();
            change(&mut json);
            let read = Tokenizer::from_json(json.to_string().as_bytes());
            assert_eq!(read.err().expect(message).to_string(), message);
        };
        for text in [small().to_string(), format!("\u{feff}{}", small())] {
            assert!(Tokenizer::from_json(text.as_bytes()).is_ok_and(|small| !small.encode("Abc é").is_empty()));
        }
        check(
            |json| json["normalizer"] = json!({"type": "Lowercase"}),
            "the tokenizer cannot be read: it has a normalizer, and texts are to stay what they are",
        );
        let unknown = "the tokenizer cannot be read: its pre_tokenizer is none that is known here: bytes as letters, alone or \
            after the pieces of `moe-train prepare`";
        check(|json| json["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = json!(true), unknown);
        check(|json| json["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = json!("[a-z]+"), unknown);
        check(|json| json["pre_tokenizer"] = json!({"type": "Whitespace"}), unknown);
        check(|json| json["pre_tokenizer"] = Value::Null, unknown);
        check(
            |json| json["model"]["dropout"] = json!(0.5),
            "the tokenizer cannot be read: it drops merges by chance, and the same text is to give the same tokens",
        );
        check(
            |json| json["model"]["ignore_merges"] = json!(true),
            "the tokenizer cannot be read: it takes words that are tokens as they are, and tokens are to be made by merges",
        );
        check(
            |json| json["model"]["type"] = json!("Unigram"),
            "the tokenizer cannot be read: its model is \"Unigram\", and byte-level BPE is meant",
        );
        check(
            |json| json["added_tokens"][0]["special"] = json!(false),
            "the tokenizer cannot be read: a token was added that is not special, and tokens are to be made by merges",
        );
        check(
            |json| json["model"]["vocab"]["A"] = json!(4_000_000_000_u32),
            "the tokenizer cannot be read: the ids of its tokens are not 0, 1 and so on: \"A\" has 4000000000",
        );
        check(
            |json| json["model"]["merges"][0] = json!(["A", "B"]),
            "the tokenizer cannot be read: a merge is about \"AB\", which is no token that texts have",
        );
        check(
            |json| json["model"]["merges"][3] = json!(["A"]),
            "the tokenizer cannot be read: merge 3 is not a pair of tokens",
        );
        check(
            |json| {
                let vocab = json["model"]["vocab"].as_object_mut().expect("a vocabulary");
                let id = vocab.remove("A").expect("an A");
                vocab.insert("AA".to_owned(), id);
            },
            "no token stands for the byte 65, so that texts would lose it",
        );
    }

    #[test]
    fn fuzz_tokenizers() {
        let json = small();
        let text = "The cat's 12 hats,\r\n  été \u{1f642}!";
        trial(
            "tokenizers",
            300,
            |dice| spoilt(&json, dice),
            |bytes| {
                let Ok(tokenizer) = Tokenizer::from_json(bytes) else { return false };
                // What is taken splits a text, and loses nothing of it.
                let ids = tokenizer.encode(text);
                assert_eq!(
                    ids.iter().flat_map(|&id| tokenizer.bytes(id)).copied().collect::<Vec<_>>(),
                    text.as_bytes()
                );
                true
            },
        );
    }
}
