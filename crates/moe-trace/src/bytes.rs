//! Bytes that travel as they are, not as a list of numbers: a `Uint8Array` between page and worker.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Shared, so that a copy costs nothing.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "codegen", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Bytes(#[cfg_attr(feature = "codegen", ts(type = "Uint8Array"), schemars(with = "Vec<u8>"))] Rc<[u8]>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(bytes.into())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        deserializer.deserialize_byte_buf(AnyBytes)
    }
}

/// Bytes, or where a format has none, a list of numbers.
struct AnyBytes;

impl<'de> Visitor<'de> for AnyBytes {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.into()))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(bytes.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bytes, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_are_no_bytes_they_are_numbers() {
        let bytes = Bytes::from(vec![0, 7, 255]);
        let json = serde_json::to_string(&bytes).expect("it serialises");
        assert_eq!(json, "[0,7,255]");
        assert_eq!(serde_json::from_str::<Bytes>(&json).expect("it parses"), bytes);
        assert!(serde_json::from_str::<Bytes>("[256]").is_err());
        assert_eq!(format!("{bytes:?}"), "3 bytes");
    }
}
