//! Rust values written as plain ones, in as little code as that takes: one way to gather what belongs together, and none
//! to fail.

use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A plain value as it is made: what JSON can say, or bytes.
pub trait Made: Sized {
    fn nothing() -> Self;
    fn truth(value: bool) -> Self;
    fn number(value: f64) -> Self;
    fn text(value: &str) -> Self;
    fn bytes(value: &[u8]) -> Self;
    fn list() -> Self;
    fn record() -> Self;
    /// The name of a field or variant.
    fn name(name: &'static str) -> Self;
    fn push(&mut self, element: Self);
    fn set(&mut self, name: Self, value: Self);
}

/// What cannot be written is nothing; of ours there is no such value.
pub fn write<T: Serialize + ?Sized, M: Made>(value: &T) -> M {
    value.serialize(Writer::<M>::NEW).unwrap_or_else(|Unwritable| M::nothing())
}

/// A type that says of itself that it cannot be written.
#[derive(Debug)]
pub struct Unwritable;

impl Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this cannot be written")
    }
}

impl std::error::Error for Unwritable {}

impl Error for Unwritable {
    fn custom<T: Display>(_: T) -> Unwritable {
        Unwritable
    }
}

/// It knows nothing but the kind of value that it makes.
struct Writer<M>(PhantomData<M>);

impl<M: Made> Writer<M> {
    const NEW: Writer<M> = Writer(PhantomData);

    fn gather(made: M, variant: Option<&'static str>) -> Gathered<M> {
        Gathered { made, variant, key: M::nothing() }
    }
}

/// A record of one field, which names the variant.
fn of_variant<M: Made>(name: &'static str, value: M) -> M {
    let mut record = M::record();
    record.set(M::name(name), value);
    record
}

/// A list or a record that is not whole yet.
struct Gathered<M> {
    made: M,
    /// Of an enum: what the whole belongs to.
    variant: Option<&'static str>,
    /// Of a map: the name of the value that comes next.
    key: M,
}

impl<M: Made> Gathered<M> {
    fn whole(self) -> M {
        match self.variant {
            Some(variant) => of_variant(variant, self.made),
            None => self.made,
        }
    }
}

type Written<M> = Result<M, Unwritable>;

/// Numbers are those of JavaScript.
macro_rules! numbers {
    ($($name:ident $type:ty),*) => {
        $(fn $name(self, value: $type) -> Written<M> {
            Ok(M::number(value as f64))
        })*
    };
}

impl<M: Made> Serializer for Writer<M> {
    type Ok = M;
    type Error = Unwritable;
    type SerializeSeq = Gathered<M>;
    type SerializeTuple = Gathered<M>;
    type SerializeTupleStruct = Gathered<M>;
    type SerializeTupleVariant = Gathered<M>;
    type SerializeMap = Gathered<M>;
    type SerializeStruct = Gathered<M>;
    type SerializeStructVariant = Gathered<M>;

    numbers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_u8 u8, serialize_u16 u16,
        serialize_u32 u32, serialize_u64 u64, serialize_f32 f32
    }

    fn serialize_f64(self, value: f64) -> Written<M> {
        Ok(M::number(value))
    }

    fn serialize_bool(self, value: bool) -> Written<M> {
        Ok(M::truth(value))
    }

    fn serialize_char(self, value: char) -> Written<M> {
        Ok(M::text(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Written<M> {
        Ok(M::text(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Written<M> {
        Ok(M::bytes(value))
    }

    fn serialize_none(self) -> Written<M> {
        Ok(M::nothing())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written<M> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written<M> {
        Ok(M::nothing())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written<M> {
        Ok(M::nothing())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written<M> {
        Ok(M::name(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written<M> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written<M> {
        Ok(of_variant(variant, value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Gathered<M>, Unwritable> {
        Ok(Self::gather(M::list(), None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Gathered<M>, Unwritable> {
        Ok(Self::gather(M::list(), None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Gathered<M>, Unwritable> {
        Ok(Self::gather(M::list(), None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Gathered<M>, Unwritable> {
        Ok(Self::gather(M::list(), Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Gathered<M>, Unwritable> {
        Ok(Self::gather(M::record(), None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Gathered<M>, Unwritable> {
        Ok(Self::gather(M::record(), None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Gathered<M>, Unwritable> {
        Ok(Self::gather(M::record(), Some(variant)))
    }
}

/// Elements, one after the other, under each name that serde has for them.
macro_rules! elements {
    ($($trait:ident $element:ident),*) => {
        $(impl<M: Made> $trait for Gathered<M> {
            type Ok = M;
            type Error = Unwritable;

            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
                self.made.push(value.serialize(Writer::<M>::NEW)?);
                Ok(())
            }

            fn end(self) -> Written<M> {
                Ok(self.whole())
            }
        })*
    };
}

elements! {
    SerializeSeq serialize_element, SerializeTuple serialize_element, SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
}

/// Fields, likewise.
macro_rules! fields {
    ($($trait:ident),*) => {
        $(impl<M: Made> $trait for Gathered<M> {
            type Ok = M;
            type Error = Unwritable;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unwritable> {
                self.made.set(M::name(name), value.serialize(Writer::<M>::NEW)?);
                Ok(())
            }

            fn end(self) -> Written<M> {
                Ok(self.whole())
            }
        })*
    };
}

fields! { SerializeStruct, SerializeStructVariant }

impl<M: Made> SerializeMap for Gathered<M> {
    type Ok = M;
    type Error = Unwritable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unwritable> {
        self.key = key.serialize(Writer::<M>::NEW)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritable> {
        let key = std::mem::replace(&mut self.key, M::nothing());
        self.made.set(key, value.serialize(Writer::<M>::NEW)?);
        Ok(())
    }

    fn end(self) -> Written<M> {
        Ok(self.whole())
    }
}
