//! What a `tokenizer.json` says about how texts are split, as the library `tokenizers` writes it; what would split them in
//! another way than is known here is an error.

use serde_json::Value;

use super::TokenizerError;
use super::pieces::PATTERN;

/// The parts of a file that texts are split by. Its others are for what is never done here.
pub struct File {
    /// As they are spelled, by id.
    pub spellings: Vec<String>,
    /// Pairs of spellings, in the order in which they were learnt.
    pub merges: Vec<[String; 2]>,
    pub cutting: Cutting,
}

/// What tokens never reach across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutting {
    /// The ends of the text.
    Nothing,
    /// The ends of pieces, see [`PATTERN`].
    Pieces,
}

pub fn read(json: &[u8]) -> Result<File, TokenizerError> {
    // Some editors put a byte order mark before a text.
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let file: Value = serde_json::from_slice(json).map_err(|error| unreadable(error.to_string()))?;
    let model = &file["model"];
    if model["type"].as_str().is_some_and(|kind| kind != "BPE") {
        return Err(unreadable(format!("its model is {}, and byte-level BPE is meant", model["type"])));
    }
    if !file["normalizer"].is_null() {
        return Err(unreadable("it has a normalizer, and texts are to stay what they are"));
    }
    if model["dropout"].as_f64().is_some_and(|dropout| dropout != 0.0) {
        return Err(unreadable("it drops merges by chance, and the same text is to give the same tokens"));
    }
    for affix in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if !model[affix].is_null() {
            return Err(unreadable(format!("it has a {affix}, and tokens are to be bytes of the text")));
        }
    }
    if model["ignore_merges"] == true {
        return Err(unreadable("it takes words that are tokens as they are, and tokens are to be made by merges"));
    }
    Ok(File {
        spellings: spellings(&file)?,
        merges: merges(&model["merges"])?,
        cutting: cutting(&file["pre_tokenizer"])?,
    })
}

/// Those of the model, and those that were added: these are never found in a text, since the letters of a special token
/// are letters.
fn spellings(file: &Value) -> Result<Vec<String>, TokenizerError> {
    let vocabulary =
        file["model"]["vocab"].as_object().ok_or_else(|| unreadable("its model lists no tokens by their ids"))?;
    let mut tokens: Vec<(&str, &Value)> = vocabulary.iter().map(|(spelling, id)| (spelling.as_str(), id)).collect();
    for added in file["added_tokens"].as_array().into_iter().flatten() {
        let Some(spelling) = added["content"].as_str().filter(|_| added["special"] == true) else {
            return Err(unreadable("a token was added that is not special, and tokens are to be made by merges"));
        };
        if !vocabulary.contains_key(spelling) {
            tokens.push((spelling, &added["id"]));
        }
    }
    let mut spellings: Vec<Option<String>> = vec![None; tokens.len()];
    for (spelling, id) in tokens {
        let place = id.as_u64().and_then(|id| spellings.get_mut(usize::try_from(id).ok()?));
        match place {
            Some(place @ None) => *place = Some(spelling.to_owned()),
            _ => {
                return Err(unreadable(format!("the ids of its tokens are not 0, 1 and so on: {spelling:?} has {id}")));
            }
        }
    }
    Ok(spellings.into_iter().flatten().collect())
}

/// Written as `["a", "b"]` or, as it once was, `"a b"`.
fn merges(list: &Value) -> Result<Vec<[String; 2]>, TokenizerError> {
    let pair = |merge: &Value| match merge {
        Value::String(both) => both.split_once(' ').map(|(first, second)| [first.to_owned(), second.to_owned()]),
        both => match both.as_array()?.as_slice() {
            [Value::String(first), Value::String(second)] => Some([first.clone(), second.clone()]),
            _ => None,
        },
    };
    let list = list.as_array().ok_or_else(|| unreadable("its model lists no merges"))?;
    let read = |(at, merge)| pair(merge).ok_or_else(|| unreadable(format!("merge {at} is not a pair of tokens")));
    list.iter().enumerate().map(read).collect()
}

fn cutting(pre_tokenizer: &Value) -> Result<Cutting, TokenizerError> {
    let spells_bytes =
        |part: &Value| part["type"] == "ByteLevel" && part["add_prefix_space"] == false && part["use_regex"] == false;
    let cuts = |part: &Value| {
        part["type"] == "Split"
            && part["pattern"]["Regex"] == PATTERN
            && part["behavior"] == "Isolated"
            && part["invert"] == false
    };
    match pre_tokenizer["pretokenizers"].as_array().map(Vec::as_slice) {
        Some([pieces, bytes]) if pre_tokenizer["type"] == "Sequence" && cuts(pieces) && spells_bytes(bytes) => {
            Ok(Cutting::Pieces)
        }
        None if spells_bytes(pre_tokenizer) => Ok(Cutting::Nothing),
        _ => Err(unreadable(
            "its pre_tokenizer is none that is known here: bytes as letters, alone or after the pieces of `moe-train prepare`",
        )),
    }
}

pub fn unreadable(why: impl Into<String>) -> TokenizerError {
    TokenizerError::Unreadable(why.into())
}
