//! Files of named tensors (safetensors) with something wrong in them: in the header, in a text about them, or in a number.

use serde_json::Value;

use crate::dice::Dice;
use crate::json;

/// A file with a change in one of its parts, and sometimes in the bytes of the whole. Texts about the tensors that are JSON
/// stay nearly what a reader expects.
pub fn spoilt(file: &[u8], dice: &mut Dice) -> Vec<u8> {
    let Some((mut header, numbers)) = parts(file) else { return json::spoilt_text(file.to_vec(), dice) };
    let mut numbers = numbers.to_vec();
    match dice.below(4) {
        0 => json::spoil(&mut header, dice),
        1 => {
            let (at, byte) = (dice.below(numbers.len()), dice.u64() as u8);
            numbers.iter_mut().skip(at).take(1).for_each(|of_number| *of_number = byte);
        }
        _ => {
            let texts = header.get_mut("__metadata__").and_then(Value::as_object_mut);
            for text in texts.into_iter().flat_map(|texts| texts.values_mut()) {
                let about = text.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
                if let Some(about) = about {
                    let about = json::spoilt(&about, dice);
                    *text = Value::String(String::from_utf8_lossy(&about).into_owned());
                }
            }
        }
    }
    let header = header.to_string().into_bytes();
    json::spoilt_text([&(header.len() as u64).to_le_bytes()[..], &header, &numbers].concat(), dice)
}

/// The header of a file, and its numbers.
fn parts(file: &[u8]) -> Option<(Value, &[u8])> {
    let (len, rest) = file.split_first_chunk::<8>()?;
    let (header, numbers) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*len)).ok()?)?;
    Some((serde_json::from_slice(header).ok()?, numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_spoilt_now_and_then() {
        let tensor = r#"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
        let header = format!(r#"{{"__metadata__":{{"a kind":"{{\"step\":3}}"}},"a":{tensor}}}"#).into_bytes();
        let file = [&(header.len() as u64).to_le_bytes()[..], &header, &[1, 2, 3, 4]].concat();
        let (right, _) = parts(&file).expect("a file");
        assert_eq!(right["__metadata__"]["a kind"], r#"{"step":3}"#);
        let mut changed = [0; 3];
        for seed in 0..400 {
            let file = spoilt(&file, &mut Dice::new(seed));
            let Some((header, numbers)) = parts(&file) else { continue };
            changed[0] += usize::from(header["a"] != right["a"]);
            changed[1] += usize::from(header["__metadata__"] != right["__metadata__"]);
            changed[2] += usize::from(numbers != [1, 2, 3, 4]);
        }
        assert!(changed.iter().all(|times| *times > 20), "{changed:?}");
    }
}
