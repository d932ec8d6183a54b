//! One macro for every object that TVmaze sends: what is decoded serialises to what came.
//!
//! serde's own `flatten` would keep unknown keys as well, but neither tells an absent key from a null
//! nor decodes without buffering, and it refuses a key that comes twice.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use super::field::{Field, Written};

/// Declares a model: each JSON key, its field and type, and the codec of those that need one.
///
/// ```text
/// faithful! {
///     /// A show.
///     pub struct Show {
///         /// Required: an id, a text or another model that is always there.
///         "id" => id: ShowId,
///         /// Absent, null or a value.
///         "averageRuntime" => average_runtime: Option<i64>,
///         /// Absent, null or a list.
///         "genres" => genres: Vec<String>,
///         /// Read and written by a codec.
///         "premiered" => premiered: Option<Date> as Text,
///     }
/// }
/// ```
///
/// Of a key that comes twice the last value counts. A model has at most 32 keys. What is `#[inline]`
/// here is so because it was measured: without it decoding takes a tenth longer.
macro_rules! faithful {
    (@codec) => { $crate::model::codec::Plain };
    (@codec $codec:ident) => { $codec };
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* $key:literal => $field:ident: $type:ty $(as $codec:ident)?,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
            /// Keys unknown to this version, and what a date or time field cannot give back exactly:
            /// one that is no date or out of range leaves the field `None`; one that would be written
            /// otherwise, such as with another offset than UTC, is here as well as in the field. A key
            /// that is here wins over its field when the whole is serialised.
            pub extra: ::serde_json::Map<String, ::serde_json::Value>,
            written: $crate::model::field::Written,
        }

        const _: () = {
            use ::serde::de::{Deserialize, Deserializer, MapAccess};
            use ::serde::ser::{Serialize, Serializer};
            use ::serde_json::{Map, Value};
            use $crate::model::faithful::{Key, KeySeed, Model, Object, ObjectVisitor};
            use $crate::model::field::{Field, Place, Required, Slot, Written, alone};

            const _: () = assert!([$($key),*].len() <= 32, "`Written` has a bit a key");

            #[expect(non_camel_case_types, reason = "named as the fields")]
            #[derive(Clone, Copy)]
            enum Position { $($field,)* }

            #[inline]
            fn position(key: &str) -> Option<Position> {
                match key {
                    $($key => Some(Position::$field),)*
                    _ => None,
                }
            }

            impl $name {
                /// What TVmaze's `key` says as it is serialised; `None` where it is left out.
                #[must_use]
                pub fn value_of(&self, key: &str) -> Option<Value> {
                    if let Some(value) = self.extra.get(key) {
                        return Some(value.clone());
                    }
                    match position(key)? {
                        $(Position::$field => alone::<_, faithful!(@codec $($codec)?)>(
                            &self.$field, self.written, Position::$field as u32,
                        ),)*
                    }
                }
            }

            impl Required for $name {}

            impl Model for $name {
                const NAME: &'static str = stringify!($name);

                #[inline]
                fn read<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
                    let mut extra = Map::new();
                    let mut written = Written::default();
                    $(let mut $field = Slot::<$type, faithful!(@codec $($codec)?)>::default();)*
                    while let Some(key) = map.next_key_seed(KeySeed(position))? {
                        match key {
                            $(Key::Known(Position::$field) => {
                                let place = Place::new(
                                    $key, Position::$field as u32, &mut written, &mut extra,
                                );
                                <$type as Field<faithful!(@codec $($codec)?)>>::read(
                                    &mut $field, &mut map, place,
                                )?;
                            })*
                            Key::Other(key) => {
                                extra.insert(key, map.next_value()?);
                            }
                        }
                    }
                    Ok($name {
                        $($field: Field::<faithful!(@codec $($codec)?)>::finish($field, $key)?,)*
                        extra,
                        written,
                    })
                }

                fn extra_mut(&mut self) -> &mut Map<String, Value> {
                    &mut self.extra
                }
            }

            impl<'de> Deserialize<'de> for $name {
                #[inline]
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_map(ObjectVisitor::new())
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let map = serializer.serialize_map(None)?;
                    let mut object = Object { map, extra: &self.extra, written: self.written };
                    $(object.field::<_, faithful!(@codec $($codec)?)>(
                        $key, Position::$field as u32, &self.$field,
                    )?;)*
                    object.end()
                }
            }
        };
    };
}

pub(super) use faithful;

/// What the macro makes, for generic code: [`With`](super::With) takes `_embedded` out of `extra`.
pub trait Model: Sized {
    const NAME: &'static str;

    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;

    fn extra_mut(&mut self) -> &mut Map<String, Value>;
}

/// A key of an object: a known one, or any other.
pub(super) enum Key<P> {
    Known(P),
    Other(String),
}

/// Reads a key without copying it, unless it is unknown.
pub(super) struct KeySeed<F>(pub(super) F);

impl<'de, P, F: Fn(&str) -> Option<P>> DeserializeSeed<'de> for KeySeed<F> {
    type Value = Key<P>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<P>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<P, F: Fn(&str) -> Option<P>> Visitor<'_> for KeySeed<F> {
    type Value = Key<P>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    #[inline]
    fn visit_str<E>(self, key: &str) -> Result<Key<P>, E> {
        Ok(self.0(key).map_or_else(|| Key::Other(key.to_owned()), Key::Known))
    }
}

/// Reads an object into a model.
pub(super) struct ObjectVisitor<T>(PhantomData<T>);

impl<T> ObjectVisitor<T> {
    pub(super) fn new() -> ObjectVisitor<T> {
        ObjectVisitor(PhantomData)
    }
}

impl<'de, T: Model> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object, {}", T::NAME)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read(map)
    }
}

/// An object being written, less the keys that `extra` overrides.
pub(super) struct Object<'a, M> {
    pub(super) map: M,
    pub(super) extra: &'a Map<String, Value>,
    pub(super) written: Written,
}

impl<M: SerializeMap> Object<'_, M> {
    pub(super) fn field<T: Field<C>, C>(
        &mut self,
        key: &str,
        position: u32,
        field: &T,
    ) -> Result<(), M::Error> {
        if self.extra.contains_key(key) {
            return Ok(());
        }
        field.write(&mut self.map, key, self.written, position)
    }

    pub(super) fn end(mut self) -> Result<M::Ok, M::Error> {
        for (key, value) in self.extra {
            self.map.serialize_entry(key, value)?;
        }
        self.map.end()
    }
}

#[cfg(test)]
mod tests;
