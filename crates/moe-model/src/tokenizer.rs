//! Text to tokens and back: byte-level BPE from a `tokenizer.json`.

use std::collections::HashMap;

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
    #[error("the text cannot be split into tokens: {0}")]
    Encoding(String),
}

/// Stands between documents; a model that writes it ends its text.
pub const END_OF_TEXT: u32 = 0;

impl Tokenizer {
    pub fn from_json(json: &[u8]) -> Result<Tokenizer, TokenizerError> {
        let unreadable = |error: tokenizers::Error| TokenizerError::Unreadable(error.to_string());
        let mut inner = tokenizers::Tokenizer::from_bytes(json).map_err(unreadable)?;
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
            .collect::<Result<_, _>>()?;
        Ok(Tokenizer { inner, bytes })
    }

    pub fn vocab_size(&self) -> usize {
        self.bytes.len()
    }

    /// Token ids of a text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoding =
            self.inner.encode_fast(text, false).map_err(|error| TokenizerError::Encoding(error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The bytes of a token: perhaps a fragment of a character, none for the end of the text.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.bytes.get(id as usize).map_or(&[], Vec::as_slice)
    }
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
}
