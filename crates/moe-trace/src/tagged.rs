//! Enums whose variants are told apart by one of their fields, as records: written and read through one small value of
//! any kind. What serde derives for them reads every variant by code of its own, a tenth of the page's module.

use std::fmt;

use serde::de::value::{Error, MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

/// What a format that describes itself can say.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
    Record(Vec<(String, Value)>),
}

/// The fields of a record, whichever they are.
pub(crate) struct Record(Vec<(String, Value)>);

impl Record {
    /// The field that tells which variant it is.
    pub fn tag(&self, name: &'static str) -> Result<&str, Error> {
        match self.value(name)? {
            Some(Value::Text(text)) => Ok(text),
            Some(_) => Err(de::Error::custom(format_args!("`{name}` is not text"))),
            None => Err(de::Error::missing_field(name)),
        }
    }

    /// A field. One that may be absent is `None` then.
    pub fn field<'de, T: Deserialize<'de>>(&'de self, name: &'static str) -> Result<T, Error> {
        match self.value(name)? {
            Some(value) => T::deserialize(value),
            None => T::deserialize(&Value::Null).map_err(|_| de::Error::missing_field(name)),
        }
    }

    fn value(&self, name: &'static str) -> Result<Option<&Value>, Error> {
        let mut found = self.0.iter().filter(|(of, _)| of == name);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(de::Error::duplicate_field(name)),
            (found, None) => Ok(found.map(|(_, value)| value)),
        }
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Record, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Record(fields) => Ok(Record(fields)),
            _ => Err(de::Error::custom("this is not a record")),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Value::Record(fields))
    }
}

impl<'de> Deserializer<'de> for &'de Value {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Unsigned(value) => visitor.visit_u64(*value),
            Value::Signed(value) => visitor.visit_i64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(list) => {
                let mut elements = SeqDeserializer::new(list.iter());
                let value = visitor.visit_seq(&mut elements)?;
                elements.end()?;
                Ok(value)
            }
            Value::Record(fields) => {
                visitor.visit_map(MapDeserializer::new(fields.iter().map(|(name, value)| (name.as_str(), value))))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(value),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// By name alone: no field of ours holds more of another enum.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Value::Text(text) => {
                IntoDeserializer::<Error>::into_deserializer(text.as_str()).deserialize_enum(name, variants, visitor)
            }
            _ => Err(de::Error::custom(format_args!("this is no {name}"))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Error> for &'de Value {
    type Deserializer = &'de Value;

    fn into_deserializer(self) -> &'de Value {
        self
    }
}

/// Serialises and deserialises an enum as records in which the field `by` names the variant, as serde's
/// `#[serde(tag = …)]` does: the same texts both ways. Every variant and every field is to be listed, or it does not
/// compile.
macro_rules! tagged {
    ($type:ident by $tag:literal { $(
        $name:literal $variant:ident $({ $($field:ident),* })? $(($inner:ident { $($of:ident),* }))?
    )* }) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                match self {
                    $($type::$variant $({ $($field),* })? $(($inner { $($of),* }))? => {
                        let fields: &[&str] = &[$tag, $($(stringify!($field),)*)? $($(stringify!($of),)*)?];
                        let mut record = serializer.serialize_struct(stringify!($type), fields.len())?;
                        record.serialize_field($tag, $name)?;
                        $($(record.serialize_field(stringify!($field), $field)?;)*)?
                        $($(record.serialize_field(stringify!($of), $of)?;)*)?
                        record.end()
                    })*
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                fn of(record: &$crate::tagged::Record) -> Result<$type, serde::de::value::Error> {
                    match record.tag($tag)? {
                        $($name => Ok($type::$variant
                            $({ $($field: record.field(stringify!($field))?),* })?
                            $(($inner { $($of: record.field(stringify!($of))?),* }))?
                        ),)*
                        other => Err(serde::de::Error::unknown_variant(other, &[$($name),*])),
                    }
                }
                of(&$crate::tagged::Record::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use tagged;

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    /// The same enum twice, once as serde derives it.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Ours {
        Plain,
        Numbers { count: u32, share: f32, perhaps: Option<u8>, pair: [u16; 2] },
        Newtype(Inside),
        Nested { of: Kind, inner: Small },
    }

    tagged! {
        Ours by "kind" {
            "plain" Plain
            "numbers" Numbers { count, share, perhaps, pair }
            "newtype" Newtype(Inside { one, two })
            "nested" Nested { of, inner }
        }
    }

    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Derived {
        Plain,
        Numbers { count: u32, share: f32, perhaps: Option<u8>, pair: [u16; 2] },
        Newtype(Inside),
        Nested { of: Kind, inner: Small },
    }

    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    struct Inside {
        one: i32,
        two: bool,
    }

    #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        OfOne,
        OfTwo,
    }

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Small {
        A,
        B { b: f32 },
    }

    tagged! { Small by "is" { "a" A  "b" B { b } } }

    #[test]
    fn it_reads_and_writes_what_serde_derives() {
        let check = |json: &str| {
            let ours = serde_json::from_str::<Ours>(json);
            let derived = serde_json::from_str::<Derived>(json);
            assert_eq!(ours.is_ok(), derived.is_ok(), "{json}: {ours:?}, {derived:?}");
            assert_eq!(format!("{:?}", ours.as_ref().ok()), format!("{:?}", derived.as_ref().ok()), "{json}");
            if let (Ok(ours), Ok(derived)) = (ours, derived) {
                let written = |text: serde_json::Result<String>| text.expect("serialises");
                assert_eq!(written(serde_json::to_string(&ours)), written(serde_json::to_string(&derived)));
            }
        };
        check(r#"{"kind":"plain"}"#);
        check(r#"{"more":[1,{"a":null}],"kind":"plain"}"#);
        check(r#"{"kind":"numbers","count":3,"share":0.1,"perhaps":null,"pair":[1,2]}"#);
        check(r#"{"pair":[1,2],"share":2,"count":3,"kind":"numbers"}"#);
        check(r#"{"kind":"newtype","one":-7,"two":true}"#);
        check(r#"{"kind":"nested","of":"of_two","inner":{"b":1e-3,"is":"b"}}"#);
        check(r#"{"kind":"nested","of":"of_one","inner":{"is":"a"}}"#);
        for wrong in [
            r#"{"kind":"other"}"#,
            r#"{"kind":3}"#,
            r#"{}"#,
            r#"[]"#,
            r#"null"#,
            r#"{"kind":"plain","kind":"plain"}"#,
            r#"{"kind":"numbers","count":3.5,"share":0.1,"pair":[1,2]}"#,
            r#"{"kind":"numbers","count":-3,"share":0.1,"pair":[1,2]}"#,
            r#"{"kind":"numbers","count":3,"share":"0.1","pair":[1,2]}"#,
            r#"{"kind":"numbers","count":3,"share":0.1,"pair":[1]}"#,
            r#"{"kind":"numbers","count":3,"share":0.1,"pair":[1,2,3]}"#,
            r#"{"kind":"numbers","count":3,"share":0.1}"#,
            r#"{"kind":"numbers","count":3,"count":4,"share":0.1,"pair":[1,2]}"#,
            r#"{"kind":"numbers","count":99999999999,"share":0.1,"pair":[1,2]}"#,
            r#"{"kind":"newtype","one":-7}"#,
            r#"{"kind":"nested","of":"of_three","inner":{"is":"a"}}"#,
            r#"{"kind":"nested","of":["of_one"],"inner":{"is":"a"}}"#,
            r#"{"kind":"nested","of":"of_one","inner":"a"}"#,
        ] {
            check(wrong);
            assert!(serde_json::from_str::<Ours>(wrong).is_err(), "{wrong}");
        }
    }
}
