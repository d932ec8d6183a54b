//! How the fields of a model are read and written: required values, options and lists.

use serde::de::{Error, MapAccess};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::codec::{Codec, Same, SerializeAs};
use super::presence::{FieldRecorder, Presence};

/// The type of a field whose value has the codec `C`.
pub(super) trait Field<C>: Sized {
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        recorder: FieldRecorder<'_>,
    ) -> Result<Self, A::Error>;

    /// The value if the key is absent.
    fn missing<E: Error>(key: &'static str) -> Result<Self, E>;

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        presence: Presence,
        position: u32,
    ) -> Result<(), M::Error>;
}

/// A type whose key must be present.
pub(super) trait Required {}

impl Required for String {}
impl Required for f64 {}

impl<T: Required, C: Codec<T>> Field<C> for T {
    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        mut recorder: FieldRecorder<'_>,
    ) -> Result<T, A::Error> {
        let value = C::read(map, &mut recorder)?;
        value.ok_or_else(|| A::Error::custom(format_args!("`{}` is null", recorder.key)))
    }

    fn missing<E: Error>(key: &'static str) -> Result<T, E> {
        Err(E::missing_field(key))
    }

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        _: Presence,
        _: u32,
    ) -> Result<(), M::Error> {
        map.serialize_entry(key, &SerializeAs::<T, C>::new(self))
    }
}

impl<T, C: Codec<T>> Field<C> for Option<T> {
    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        mut recorder: FieldRecorder<'_>,
    ) -> Result<Option<T>, A::Error> {
        C::read(map, &mut recorder)
    }

    #[inline]
    fn missing<E: Error>(_: &'static str) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        presence: Presence,
        position: u32,
    ) -> Result<(), M::Error> {
        match self {
            Some(value) => map.serialize_entry(key, &SerializeAs::<T, C>::new(value)),
            None if presence.is_null(position) => map.serialize_entry(key, &()),
            None if presence.is_empty(position) => map.serialize_entry(key, ""),
            None => Ok(()),
        }
    }
}

impl<T: Serialize + for<'de> Deserialize<'de>> Field<Same> for Vec<T> {
    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        mut recorder: FieldRecorder<'_>,
    ) -> Result<Vec<T>, A::Error> {
        let list: Option<Vec<T>> = map.next_value()?;
        match list {
            Some(_) => recorder.mark_empty(),
            None => recorder.mark_null(),
        }
        Ok(list.unwrap_or_default())
    }

    #[inline]
    fn missing<E: Error>(_: &'static str) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        presence: Presence,
        position: u32,
    ) -> Result<(), M::Error> {
        if !self.is_empty() || presence.is_empty(position) {
            map.serialize_entry(key, self)
        } else if presence.is_null(position) {
            map.serialize_entry(key, &())
        } else {
            Ok(())
        }
    }
}

/// The JSON value of a field; `None` if its key is omitted.
pub(super) fn to_json_value<T: Field<C>, C>(
    field: &T,
    presence: Presence,
    position: u32,
) -> Option<Value> {
    let mut map = serde_json::value::Serializer.serialize_map(None).ok()?;
    field.write(&mut map, "value", presence, position).ok()?;
    match map.end().ok()? {
        Value::Object(mut object) => object.remove("value"),
        _ => None,
    }
}
