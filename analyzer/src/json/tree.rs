//! serde's data model read from a [`Value`], in a way that makes the derived code small.
//!
//! serde_json offers a record's fields in the order of the text, and the derived code finds out which each one is,
//! that none comes twice and that none is missing. Here the fields are looked up by the list of names that serde
//! hands over, so that they come in the record's own order and the derived code has nothing to tell apart. The same
//! holds for the variants of an enum.

use super::Unfit;
use serde::de::value::U32Deserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer as _,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map};
use std::cell::RefCell;
use std::fmt::{self, Display};
use std::vec;

/// The record that a value holds.
pub(super) fn record<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, Unfit> {
    let place = Place::default();
    T::deserialize(Tree { value: Some(value), place: &place })
        .map_err(|why| Unfit(format!("{}{why}", place.0.into_inner())))
}

/// Why a value does not fit. Of one byte, because each field of each record carries code for it; where it was is
/// kept in [`Place`]. The messages of serde name the types of this program; here the field's name says more, and all
/// text that is not used is left out of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Missing,
    OtherKind,
}

impl Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "something is missing",
            Self::OtherKind => "it is not of the expected kind",
        })
    }
}

impl std::error::Error for Why {}

impl Error for Why {
    fn custom<T: Display>(_: T) -> Self {
        Self::OtherKind
    }
    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::OtherKind
    }
    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::OtherKind
    }
    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::Missing
    }
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::OtherKind
    }
}

/// Where a value did not fit: the fields that lead to it.
#[derive(Default)]
struct Place(RefCell<String>);

impl Place {
    /// It was inside of that field.
    #[cold]
    fn within(&self, field: &str) {
        self.0.borrow_mut().insert_str(0, &format!("{field}: "));
    }
}

/// A value that something is read from; `None` is a field that the text does not have.
struct Tree<'p> {
    value: Option<Value>,
    place: &'p Place,
}

impl<'p> Tree<'p> {
    fn of(value: Value, place: &'p Place) -> Self {
        Self { value: Some(value), place }
    }

    fn number(&self) -> Result<u64, Why> {
        self.value.as_ref().and_then(Value::as_u64).ok_or(Why::OtherKind)
    }

    fn array(self) -> Result<Items<'p>, Why> {
        match self.value {
            Some(Value::Array(items)) => Ok(Items { items: items.into_iter(), place: self.place }),
            _ => Err(Why::OtherKind),
        }
    }

    fn object(self) -> Result<Map<String, Value>, Why> {
        match self.value {
            Some(Value::Object(entries)) => Ok(entries),
            _ => Err(Why::OtherKind),
        }
    }
}

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Why;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        let place = self.place;
        match self.value.ok_or(Why::Missing)? {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., Some(value)) => visitor.visit_f64(value),
                _ => Err(Why::OtherKind),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.into_iter(), place }),
            Value::Object(entries) => {
                visitor.visit_map(Entries { entries: entries.into_iter(), value: None, place })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        match self.value {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        visitor.visit_bool(self.value.and_then(|value| value.as_bool()).ok_or(Why::OtherKind)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        match self.value {
            Some(Value::String(text)) => visitor.visit_string(text),
            _ => Err(Why::OtherKind),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        visitor.visit_seq(self.array()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Why> {
        let place = self.place;
        visitor.visit_map(Entries { entries: self.object()?.into_iter(), value: None, place })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Why> {
        let place = self.place;
        visitor.visit_seq(Fields { names: fields.iter(), entries: self.object()?, place })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Why> {
        if self.value.is_none() {
            return Err(Why::Missing);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Why> {
        visitor.visit_enum(Variant::of(self, variants)?)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The items of an array.
struct Items<'p> {
    items: vec::IntoIter<Value>,
    place: &'p Place,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Why;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Why> {
        self.items.next().map(|value| seed.deserialize(Tree::of(value, self.place))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of an object whose keys are data.
struct Entries<'p> {
    entries: map::IntoIter,
    value: Option<Value>,
    place: &'p Place,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Why;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Why> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(Tree::of(Value::String(key), self.place)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Why> {
        seed.deserialize(Tree { value: self.value.take(), place: self.place })
    }
}

/// The fields of a record, in the record's order.
struct Fields<'p> {
    names: std::slice::Iter<'static, &'static str>,
    entries: Map<String, Value>,
    place: &'p Place,
}

impl<'de> SeqAccess<'de> for Fields<'_> {
    type Error = Why;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Why> {
        let Some(name) = self.names.next() else { return Ok(None) };
        let value = self.entries.remove(*name);
        let is_absent = value.is_none();
        match seed.deserialize(Tree { value, place: self.place }) {
            Ok(value) => Ok(Some(value)),
            // An `Option` is `None`. For all else the derived code knows whether there is a default.
            Err(_) if is_absent => Ok(None),
            Err(why) => {
                self.place.within(name);
                Err(why)
            }
        }
    }
}

/// A variant, by its place in the enum, with what it holds.
struct Variant<'p> {
    number: u32,
    content: Tree<'p>,
}

impl<'p> Variant<'p> {
    fn of(tree: Tree<'p>, variants: &'static [&'static str]) -> Result<Self, Why> {
        let (name, content) = match tree.value {
            Some(Value::String(name)) => (name, Value::Null),
            Some(Value::Object(entries)) => entries.into_iter().next().ok_or(Why::OtherKind)?,
            _ => return Err(Why::OtherKind),
        };
        let number = variants.iter().position(|variant| **variant == *name);
        let Some(number) = number.and_then(|number| u32::try_from(number).ok()) else {
            tree.place.within(&name);
            return Err(Why::OtherKind);
        };
        Ok(Self { number, content: Tree::of(content, tree.place) })
    }
}

impl<'de, 'p> EnumAccess<'de> for Variant<'p> {
    type Error = Why;
    type Variant = Tree<'p>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Tree<'p>), Why> {
        let number: U32Deserializer<Why> = self.number.into_deserializer();
        Ok((seed.deserialize(number)?, self.content))
    }
}

impl<'de> VariantAccess<'de> for Tree<'_> {
    type Error = Why;

    fn unit_variant(self) -> Result<(), Why> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Why> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Why> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Why> {
        self.deserialize_struct("", fields, visitor)
    }
}
