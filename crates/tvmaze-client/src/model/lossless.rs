//! The macro behind every model. A model serializes to exactly the JSON it was decoded from.
//!
//! serde's `flatten` also keeps unknown keys, but it does not distinguish an absent key from a null,
//! buffers the input, and rejects duplicate keys.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use super::field::Field;
use super::presence::Presence;

/// Declares a model: each JSON key with its field, its type and, if needed, its codec.
///
/// ```text
/// lossless! {
///     /// A show.
///     pub struct Show {
///         /// Required: an id, a string, a number or another model.
///         "id" => id: ShowId,
///         /// Absent, null or a value.
///         "averageRuntime" => average_runtime: Option<i64>,
///         /// Absent, null or a list.
///         "genres" => genres: Vec<String>,
///         /// Read and written with a codec.
///         "premiered" => premiered: Option<Date> as AsText,
///     }
/// }
/// ```
///
/// The last value of a duplicate key wins. A model has at most 32 keys. The `#[inline]` attributes here
/// are measured: without them, decoding takes 10 % longer.
macro_rules! lossless {
    (@codec) => { $crate::model::codec::Same };
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
            /// Keys without a field, and the raw values of dates and times that their field cannot
            /// reproduce exactly: invalid or out of range (the field is `None`), or in another format
            /// (such as an offset other than UTC). When the model is serialized, a key in `extra`
            /// overrides its field.
            pub extra: ::serde_json::Map<String, ::serde_json::Value>,
            presence: $crate::model::presence::Presence,
        }

        const _: () = {
            use ::serde::de::{Deserialize, Deserializer, MapAccess};
            use ::serde::ser::{Serialize, Serializer};
            use ::serde_json::{Map, Value};
            use $crate::model::field::{Field, Required, to_json_value};
            use $crate::model::lossless::{Key, KeySeed, LosslessModel, Object, ObjectVisitor};
            use $crate::model::presence::{FieldRecorder, Presence};

            const _: () = assert!([$($key),*].len() <= 32, "`Presence` has one bit per key");

            #[expect(non_camel_case_types, reason = "named like the fields")]
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
                /// The serialized value of a JSON key; `None` if the key is omitted.
                #[must_use]
                pub fn json_value(&self, key: &str) -> Option<Value> {
                    if let Some(value) = self.extra.get(key) {
                        return Some(value.clone());
                    }
                    match position(key)? {
                        $(Position::$field => to_json_value::<_, lossless!(@codec $($codec)?)>(
                            &self.$field, self.presence, Position::$field as u32,
                        ),)*
                    }
                }
            }

            impl Required for $name {}

            impl LosslessModel for $name {
                const NAME: &'static str = stringify!($name);

                #[inline]
                fn read<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
                    let mut extra = Map::new();
                    let mut presence = Presence::default();
                    $(let mut $field: Option<$type> = None;)*
                    while let Some(key) = map.next_key_seed(KeySeed(position))? {
                        match key {
                            $(Key::Known(Position::$field) => {
                                let recorder = FieldRecorder::new(
                                    $key, Position::$field as u32, &mut presence, &mut extra,
                                );
                                $field = Some(Field::<lossless!(@codec $($codec)?)>::read(&mut map, recorder)?);
                            })*
                            Key::Other(key) => {
                                extra.insert(key, map.next_value()?);
                            }
                        }
                    }
                    Ok($name {
                        $($field: match $field {
                            Some(value) => value,
                            None => Field::<lossless!(@codec $($codec)?)>::missing($key)?,
                        },)*
                        extra,
                        presence,
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
                    let mut object = Object { map, extra: &self.extra, presence: self.presence };
                    $(object.field::<_, lossless!(@codec $($codec)?)>(
                        $key, Position::$field as u32, &self.$field,
                    )?;)*
                    object.end()
                }
            }
        };
    };
}

pub(super) use lossless;

/// A type declared with `lossless!`.
pub trait LosslessModel: Sized {
    const NAME: &'static str;

    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;

    fn extra_mut(&mut self) -> &mut Map<String, Value>;
}

pub(super) enum Key<P> {
    Known(P),
    Other(String),
}

/// Reads a key; copies it only if it is unknown.
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

impl<'de, T: LosslessModel> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object, {}", T::NAME)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read(map)
    }
}

/// Writes the fields of an object, except those that `extra` overrides.
pub(super) struct Object<'a, M> {
    pub(super) map: M,
    pub(super) extra: &'a Map<String, Value>,
    pub(super) presence: Presence,
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
        field.write(&mut self.map, key, self.presence, position)
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
