//! Text to tokens and back: byte-level BPE from a `tokenizer.json`.

use std::collections::{HashMap, HashSet};

use moe_trace::limits::TOKEN_BYTES;
use serde_json::Value;

/// A byte-level tokenizer. Any text encodes, and the bytes of its tokens joined are the text.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
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
    #[error("the text cannot be split into tokens: {0}")]
    Encoding(String),
    #[error("the tokenizer changes the text: of its {expected} bytes the first {same} come back")]
    Changed { same: usize, expected: usize },
}

/// Stands between documents; a model that writes it ends its text. Tokenizers of ours give it the first id
/// (`moe-train prepare`); a model that others made would have to name its own.
pub const END_OF_TEXT: u32 = 0;

impl Tokenizer {
    pub fn from_json(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
        let unreadable = |error: tokenizers::Error| TokenizerError::Unreadable(error.to_string());
        let mut inner = tokenizers::Tokenizer::from_bytes(plain(json)?).map_err(unreadable)?;
        // A reader who types the letters of a special token means the letters.
        inner.set_encode_special_tokens(true);
        let letters = byte_of_letter();
        let bytes = (0..inner.get_vocab_size(true) as u32)
            .map(|id| {
                let spelling = inner.id_to_token(id).ok_or(TokenizerError::NotByteLevel { id })?;
                if id == END_OF_TEXT {
                    return Ok(Vec::new());
                }
                let byte = |letter| letters.get(&letter).copied().ok_or(TokenizerError::NotByteLevel { id });
                spelling.chars().map(byte).collect()
            })
            .collect::<Result<Vec<Vec<u8>>, _>>()?;
        if let Some(id) = bytes.iter().position(|bytes| bytes.len() as u64 > TOKEN_BYTES) {
            return Err(TokenizerError::Long { id: id as u32, len: bytes[id].len() });
        }
        let known: HashSet<u8> = bytes.iter().filter(|bytes| bytes.len() == 1).map(|bytes| bytes[0]).collect();
        match (0..=u8::MAX).find(|byte| !known.contains(byte)) {
            Some(byte) => Err(TokenizerError::NoByte { byte }),
            None => Ok(Tokenizer { inner, bytes }),
        }
    }

    pub fn vocab_size(&self) -> usize {
        self.bytes.len()
    }

    /// Token ids of a text. Their bytes joined are the text, or it is an error: what is run is what was typed.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoding =
            self.inner.encode_fast(text, false).map_err(|error| TokenizerError::Encoding(error.to_string()))?;
        let ids = encoding.get_ids();
        let back = ids.iter().flat_map(|&id| self.bytes(id));
        let same = back.clone().zip(text.as_bytes()).take_while(|(back, byte)| back == byte).count();
        match same == text.len() && back.count() == same {
            true => Ok(ids.to_vec()),
            false => Err(TokenizerError::Changed { same, expected: text.len() }),
        }
    }

    /// The bytes of a token: perhaps a fragment of a character, none for the end of the text.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize).map_or(&[], Vec::as_slice)
    }
}

/// What says how texts are split is at most as long; that of ours has 279 bytes. The library makes an automaton of each
/// pattern, of megabytes for a long one.
const SPLITTING_BYTES: usize = 4096;

/// The parts of a `tokenizer.json` that texts are split by. The others are for what is never done here, and the library
/// that reads them does not survive all that may stand there.
fn plain(json: &[u8]) -> Result<Vec<u8>, TokenizerError> {
    let unreadable = |why: String| TokenizerError::Unreadable(why);
    // Some editors put a byte order mark before a text.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let mut file: Value = serde_json::from_slice(json).map_err(|error| unreadable(error.to_string()))?;
    let kind = file["model"]["type"].as_str();
    if kind.is_some_and(|kind| kind != "BPE") {
        return Err(unreadable(format!("its model is {}, and byte-level BPE is meant", file["model"]["type"])));
    }
    if !file["normalizer"].is_null() {
        return Err(unreadable("it has a normalizer, and texts are to stay what they are".to_owned()));
    }
    if file["model"]["dropout"].as_f64().is_some_and(|dropout| dropout != 0.0) {
        return Err(unreadable("it drops merges by chance, and the same text is to give the same tokens".to_owned()));
    }
    for affix in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if !file["model"][affix].is_null() {
            return Err(unreadable(format!("it has a {affix}, and tokens are to be bytes of the text")));
        }
    }
    let splitting = file["pre_tokenizer"].to_string();
    if splitting.len() > SPLITTING_BYTES {
        let why = format!("its pre_tokenizer has {} bytes of JSON, more than {SPLITTING_BYTES}", splitting.len());
        return Err(unreadable(why));
    }
    // Each makes two letters of a byte, so that thirty of them fill any memory.
    let spellings = splitting.matches(r#""type":"ByteLevel""#).count();
    if spellings > 1 {
        return Err(unreadable(format!("its pre_tokenizer spells bytes as letters {spellings} times, and not once")));
    }
    if let Some(parts) = file.as_object_mut() {
        for unused in ["decoder", "post_processor", "truncation", "padding"] {
            parts.insert(unused.to_owned(), Value::Null);
        }
    }
    serde_json::to_vec(&file).map_err(|error| unreadable(error.to_string()))
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
    use serde_json::json;

    use super::*;

    const TOKENIZER: &[u8] = include_bytes!("../../../www/site/models/default/tokenizer.json");

    #[test]
    fn bytes_of_tokens_joined_are_the_text() {
        let tokenizer = Tokenizer::from_json(TOKENIZER).expect("the shipped tokenizer");
        for text in
            ["", " ", "The cat sat.", "l'été 👩‍👩‍👧‍👦", "שלום עולם", "fn main() {\n\tlet x = 12;\n}\r\n", "<|end|>", "\0"]
        {
            let ids = tokenizer.encode(text).expect(text);
            let bytes: Vec<u8> = ids.iter().flat_map(|&id| tokenizer.bytes(id)).copied().collect();
            assert_eq!(bytes, text.as_bytes());
            assert!(!ids.contains(&END_OF_TEXT), "{text:?} ends itself");
        }
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
    fn a_tokenizer_that_would_change_texts_is_refused() {
        let check = |change: fn(&mut Value), message: &str| {
            let mut json = small();
            change(&mut json);
            let read =
                Tokenizer::from_json(json.to_string().as_bytes()).and_then(|tokenizer| tokenizer.encode("Abc é"));
            assert_eq!(read.expect_err(message).to_string(), message);
        };
        for text in [small().to_string(), format!("\u{feff}{}", small())] {
            assert!(Tokenizer::from_json(text.as_bytes()).is_ok_and(|small| small.encode("Abc é").is_ok()));
        }
        check(
            |json| json["normalizer"] = json!({"type": "Lowercase"}),
            "the tokenizer cannot be read: it has a normalizer, and texts are to stay what they are",
        );
        let prefix = "the tokenizer changes the text: of its 6 bytes the first 0 come back";
        check(|json| json["pre_tokenizer"]["pretokenizers"][1]["add_prefix_space"] = json!(true), prefix);
        check(
            |json| json["model"]["dropout"] = json!(0.5),
            "the tokenizer cannot be read: it drops merges by chance, and the same text is to give the same tokens",
        );
        check(
            |json| json["model"]["type"] = json!("Unigram"),
            "the tokenizer cannot be read: its model is \"Unigram\", and byte-level BPE is meant",
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
    fn rules_of_splitting_are_bounded() {
        let mut json = small();
        let parts = json["pre_tokenizer"]["pretokenizers"].as_array().expect("a sequence").clone();
        for (part, times, message) in [(0, 300, "bytes of JSON, more than 4096"), (1, 1, "letters 2 times")] {
            let more = vec![parts[part].clone(); times];
            json["pre_tokenizer"]["pretokenizers"] = [parts.clone(), more].concat().into();
            let error = Tokenizer::from_json(json.to_string().as_bytes()).err().expect(message).to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn fuzz_tokenizers() {
        // Nearly all of the time goes into the automata of the shipped pattern, milliseconds for each file. So most files
        // have a pattern that is made at once; whatever else is in them is as in the shipped one.
        let (json, mut brief) = (small(), small());
        brief["pre_tokenizer"]["pretokenizers"][0]["pattern"] = json!({"Regex": " ?[a-z]+|[0-9]"});
        trial(
            "tokenizers",
            300,
            |dice| if dice.once_in(16) { spoilt(&json, dice) } else { spoilt(&brief, dice) },
            |bytes| {
                let read = Tokenizer::from_json(bytes);
                // What is taken splits a text, or says why not.
                read.map(|tokenizer| tokenizer.encode("The cat's 12 hats,\r\n  été \u{1f642}!").is_ok()).is_ok()
            },
        );
    }
}
