//! Plain values read as Rust types, in as little code as that takes: a tenth of the page's module was what serde derives
//! to tell fields by their names.
//!
//! A reader that is told which fields a record has need not ask which one it is at: it hands them over in their order, as
//! the elements of a list, and the variants of an enum by their numbers. Serde derives both ways of reading, and of these
//! two only the shorter is compiled.

use std::vec::IntoIter;

use serde::Deserializer;
use serde::de::value::{Error, U32Deserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

/// A value as JSON can say it, or bytes, wherever it lies: an object of JavaScript's, in tests JSON.
pub trait Plain: Sized {
    /// A field that is not there.
    const ABSENT: Self;

    fn is_absent(&self) -> bool;
    /// Absent, or the nothing that JSON has a word for.
    fn is_nothing(&self) -> bool;
    fn truth(&self) -> Option<bool>;
    fn number(&self) -> Option<f64>;
    fn text(&self) -> Option<String>;
    fn bytes(&self) -> Option<Vec<u8>>;
    /// The elements of a list, or of what can be gone through as one.
    fn elements(&self) -> Option<Vec<Self>>;
    /// These fields of a record, in this order.
    fn fields(&self, names: &'static [&'static str]) -> Option<Vec<Self>>;
    /// All fields of a record.
    fn entries(&self) -> Option<Vec<(String, Self)>>;
}

pub fn read<T: DeserializeOwned, P: Plain>(value: P) -> Result<T, Error> {
    T::deserialize(Reader(value))
}

/// The largest whole number that a number of JavaScript's tells from its neighbours.
const MOST: f64 = 9_007_199_254_740_991.0;

struct Reader<P>(P);

impl<P: Plain> Reader<P> {
    #[cold]
    fn is_not(&self, expected: &dyn Expected) -> Error {
        let (text, bytes);
        let found = if self.0.is_nothing() {
            Unexpected::Unit
        } else if let Some(value) = self.0.truth() {
            Unexpected::Bool(value)
        } else if let Some(value) = self.0.number() {
            Unexpected::Float(value)
        } else if let Some(value) = self.0.text() {
            text = value;
            Unexpected::Str(&text)
        } else if let Some(value) = self.0.bytes() {
            bytes = value;
            Unexpected::Bytes(&bytes)
        } else if self.0.elements().is_some() {
            Unexpected::Seq
        } else {
            Unexpected::Map
        };
        Error::invalid_type(found, expected)
    }

    fn whole(&self, least: f64, expected: &dyn Expected) -> Result<i64, Error> {
        match self.0.number() {
            Some(number) if number.fract() == 0.0 && (least..=MOST).contains(&number) => Ok(number as i64),
            _ => Err(self.is_not(expected)),
        }
    }

    fn text(&self, expected: &dyn Expected) -> Result<String, Error> {
        self.0.text().ok_or_else(|| self.is_not(expected))
    }

    fn elements(&self, expected: &dyn Expected) -> Result<Elements<P>, Error> {
        let values = self.0.elements().ok_or_else(|| self.is_not(expected))?;
        Ok(Elements { values: values.into_iter(), names: [].iter(), missing: None })
    }

    fn fields(&self, names: &'static [&'static str], expected: &dyn Expected) -> Result<Elements<P>, Error> {
        let values = self.0.fields(names).ok_or_else(|| self.is_not(expected))?;
        Ok(Elements { values: values.into_iter(), names: names.iter(), missing: None })
    }

    fn entries(&self, expected: &dyn Expected) -> Result<Entries<P>, Error> {
        let entries = self.0.entries().ok_or_else(|| self.is_not(expected))?;
        Ok(Entries { entries: entries.into_iter(), value: None })
    }

    /// Which variant it is, and what it holds.
    fn variant(self, names: &'static [&'static str], expected: &dyn Expected) -> Result<Variant<P>, Error> {
        let (name, of) = match self.0.text() {
            Some(name) => (name, P::ABSENT),
            None => {
                let entries = self.0.entries().ok_or_else(|| self.is_not(expected))?;
                let many = |_| Error::invalid_value(Unexpected::Map, &"map with a single key");
                let [entry] = <[_; 1]>::try_from(entries).map_err(many)?;
                entry
            }
        };
        match (0..).zip(names).find(|(_, of)| **of == name) {
            Some((number, _)) => Ok(Variant { number, of: Reader(of) }),
            None => Err(Error::unknown_variant(&name, names)),
        }
    }
}

impl<'de, P: Plain> Deserializer<'de> for Reader<P> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_nothing() {
            visitor.visit_unit()
        } else if let Some(value) = self.0.truth() {
            visitor.visit_bool(value)
        } else if let Some(value) = self.0.number() {
            match self.whole(-MOST, &visitor) {
                Ok(whole) => visitor.visit_i64(whole),
                Err(_) => visitor.visit_f64(value),
            }
        } else if let Some(text) = self.0.text() {
            visitor.visit_string(text)
        } else if let Some(bytes) = self.0.bytes() {
            visitor.visit_byte_buf(bytes)
        } else if let Ok(mut elements) = self.elements(&visitor) {
            visitor.visit_seq(&mut elements)
        } else {
            let mut entries = self.entries(&visitor)?;
            visitor.visit_map(&mut entries)
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.truth() {
            Some(value) => visitor.visit_bool(value),
            None => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let whole = self.whole(-MOST, &visitor)?;
        visitor.visit_i64(whole)
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let whole = self.whole(0.0, &visitor)?;
        visitor.visit_u64(whole as u64)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.number() {
            Some(value) => visitor.visit_f64(value),
            None => Err(self.is_not(&visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let text = self.text(&visitor)?;
        visitor.visit_string(text)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.bytes() {
            Some(bytes) => visitor.visit_byte_buf(bytes),
            None => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_nothing() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_nothing() { visitor.visit_unit() } else { Err(self.is_not(&visitor)) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut elements = self.elements(&visitor)?;
        visitor.visit_seq(&mut elements)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut entries = self.entries(&visitor)?;
        visitor.visit_map(&mut entries)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut fields = self.fields(names, &visitor)?;
        visitor.visit_seq(&mut fields).map_err(|error| fields.missing.map_or(error, Error::missing_field))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = self.variant(variants, &visitor)?;
        visitor.visit_enum(variant)
    }

    serde::forward_to_deserialize_any! { i128 u128 char bytes unit_struct tuple_struct identifier ignored_any }
}

/// The elements of a list, or the fields of a record in their order.
struct Elements<P> {
    values: IntoIter<P>,
    /// Of fields.
    names: std::slice::Iter<'static, &'static str>,
    /// The field that was asked for last, where it is not there and its type does not make something of that.
    missing: Option<&'static str>,
}

impl<'de, P: Plain> SeqAccess<'de> for &mut Elements<P> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.missing = None;
        let (Some(value), name) = (self.values.next(), self.names.next()) else { return Ok(None) };
        let is_absent = value.is_absent();
        match (seed.deserialize(Reader(value)), name) {
            // Either it has a default, or this is asked no further.
            (Err(_), Some(name)) if is_absent => {
                self.missing = Some(name);
                Ok(None)
            }
            (read, _) => read.map(Some),
        }
    }
}

struct Entries<P> {
    entries: IntoIter<(String, P)>,
    /// Of the name that was given last.
    value: Option<P>,
}

impl<'de, P: Plain> MapAccess<'de> for &mut Entries<P> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(Reader(self.value.take().unwrap_or(P::ABSENT)))
    }
}

struct Variant<P> {
    number: u32,
    of: Reader<P>,
}

impl<'de, P: Plain> EnumAccess<'de> for Variant<P> {
    type Error = Error;
    type Variant = Reader<P>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader<P>), Error> {
        let number: U32Deserializer<Error> = self.number.into_deserializer();
        Ok((seed.deserialize(number)?, self.of))
    }
}

impl<'de, P: Plain> VariantAccess<'de> for Reader<P> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.0.is_nothing() { Ok(()) } else { Err(self.is_not(&"nothing beside the name")) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, names: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_struct("", names, visitor)
    }
}
