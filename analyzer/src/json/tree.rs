//! serde's data model read from a [`Value`], in a way that makes the derived code small.
//!
//! serde_json offers a record's fields in the order of the text, and the derived code finds out which each one is,
//! that none comes twice and that none is missing. Here the fields are looked up by the list of names that serde
//! hands over, so that they come in the record's own order and the derived code has nothing to tell apart. The same
//! holds for the variants of an enum.

use super::Unfit;
use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer as _, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map};
use std::fmt::Display;
use std::vec;

/// The messages of serde name the types of this program; here the field's name says more, and all text that is
/// not used is left out of the page.
impl Error for Unfit {
    fn custom<T: Display>(_: T) -> Self {
        unfit()
    }
    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        unfit()
    }
    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        unfit()
    }
    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self("something is missing".to_owned())
    }
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        unfit()
    }
}

fn unfit() -> Unfit {
    Unfit("it is not of the expected kind".to_owned())
}

impl Unfit {
    /// The same, inside of that field.
    #[cold]
    fn within(self, field: &str) -> Self {
        Self(format!("{field}: {}", self.0))
    }
}

/// A value that something is read from.
pub(super) struct Tree(pub(super) Value);

impl<'de> Deserializer<'de> for Tree {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., Some(value)) => visitor.visit_f64(value),
                _ => Err(unfit()),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            Value::Object(entries) => {
                visitor.visit_map(Entries { entries: entries.into_iter(), value: None })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_u64(self.0.as_u64().ok_or_else(unfit)?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_bool(self.0.as_bool().ok_or_else(unfit)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            _ => Err(unfit()),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            _ => Err(unfit()),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Object(entries) => {
                visitor.visit_map(Entries { entries: entries.into_iter(), value: None })
            }
            _ => Err(unfit()),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match self.0 {
            Value::Object(entries) => visitor.visit_seq(Fields { names: fields.iter(), entries }),
            _ => Err(unfit()),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_enum(Variant::of(self.0, variants)?)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The items of an array.
struct Items(vec::IntoIter<Value>);

impl<'de> SeqAccess<'de> for Items {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        self.0.next().map(|value| seed.deserialize(Tree(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// The entries of an object whose keys are data.
struct Entries {
    entries: map::IntoIter,
    value: Option<Value>,
}

impl<'de> MapAccess<'de> for Entries {
    type Error = Unfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Tree(Value::String(key))).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(Tree(self.value.take().ok_or_else(unfit)?))
    }
}

/// The fields of a record, in the record's order.
struct Fields {
    names: std::slice::Iter<'static, &'static str>,
    entries: Map<String, Value>,
}

impl<'de> SeqAccess<'de> for Fields {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        let Some(name) = self.names.next() else { return Ok(None) };
        match self.entries.remove(*name) {
            Some(value) => match seed.deserialize(Tree(value)) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(error.within(name)),
            },
            // An `Option` is `None`. For all else the derived code knows whether there is a default.
            None => Ok(seed.deserialize(Absent).ok()),
        }
    }
}

/// A field that the text does not have.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unfit> {
        Err(unfit())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A variant, by its place in the enum, with what it holds.
struct Variant {
    place: u32,
    content: Value,
}

impl Variant {
    fn of(value: Value, variants: &'static [&'static str]) -> Result<Self, Unfit> {
        let (name, content) = match value {
            Value::String(name) => (name, Value::Null),
            Value::Object(entries) => entries.into_iter().next().ok_or_else(unfit)?,
            _ => return Err(unfit()),
        };
        let place = variants.iter().position(|variant| **variant == *name);
        let place = place.and_then(|place| u32::try_from(place).ok());
        Ok(Self { place: place.ok_or_else(|| unfit().within(&name))?, content })
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Unfit;
    type Variant = Tree;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Tree), Unfit> {
        let place: U32Deserializer<Unfit> = self.place.into_deserializer();
        Ok((seed.deserialize(place)?, Tree(self.content)))
    }
}

impl<'de> VariantAccess<'de> for Tree {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_struct("", fields, visitor)
    }
}
