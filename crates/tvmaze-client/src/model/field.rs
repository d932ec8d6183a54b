//! What a field of a model notes while it is read, and how it is written again.

use serde::de::{Error, MapAccess};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::codec::{Codec, Coded, Plain};

/// How the keys whose field is empty came, a bit a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// As null.
    nulls: u32,
    /// As `""`; for a list, as a list.
    blanks: u32,
}

impl Written {
    fn is_null(self, position: u32) -> bool {
        self.nulls & (1 << position) != 0
    }

    fn is_blank(self, position: u32) -> bool {
        self.blanks & (1 << position) != 0
    }
}

/// A known key that has just been read, and where to note what its field cannot hold.
pub(super) struct Place<'a> {
    key: &'static str,
    bit: u32,
    written: &'a mut Written,
    extra: &'a mut Map<String, Value>,
}

impl<'a> Place<'a> {
    /// Forgets what an earlier value of the same key left.
    #[inline]
    pub(super) fn new(
        key: &'static str,
        position: u32,
        written: &'a mut Written,
        extra: &'a mut Map<String, Value>,
    ) -> Place<'a> {
        let bit = 1 << position;
        written.nulls &= !bit;
        written.blanks &= !bit;
        if !extra.is_empty() {
            extra.remove(key);
        }
        Place { key, bit, written, extra }
    }

    #[inline]
    pub(super) fn was_null(&mut self) {
        self.written.nulls |= self.bit;
    }

    #[inline]
    pub(super) fn was_blank(&mut self) {
        self.written.blanks |= self.bit;
    }

    /// Keeps a value that the field would not give back.
    pub(super) fn was(&mut self, received: impl Into<Value>) {
        self.extra.insert(self.key.to_owned(), received.into());
    }
}

/// The type of a field, read and written by the codec `C`.
pub(super) trait Field<C>: Sized {
    /// What has been read so far.
    type Slot: Default;

    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Self::Slot,
        map: &mut A,
        place: Place<'_>,
    ) -> Result<(), A::Error>;

    fn finish<E: Error>(slot: Self::Slot, key: &'static str) -> Result<Self, E>;

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        written: Written,
        position: u32,
    ) -> Result<(), M::Error>;
}

pub(super) type Slot<T, C> = <T as Field<C>>::Slot;

/// A type whose key must be there.
pub(super) trait Required {}

impl Required for String {}
impl Required for f64 {}

impl<T: Required, C: Codec<T>> Field<C> for T {
    type Slot = Option<T>;

    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Option<T>,
        map: &mut A,
        mut place: Place<'_>,
    ) -> Result<(), A::Error> {
        *slot = C::read(map, &mut place)?;
        match slot {
            Some(_) => Ok(()),
            None => Err(A::Error::custom(format_args!("`{}` is null", place.key))),
        }
    }

    fn finish<E: Error>(slot: Option<T>, key: &'static str) -> Result<T, E> {
        slot.ok_or_else(|| E::missing_field(key))
    }

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        _: Written,
        _: u32,
    ) -> Result<(), M::Error> {
        map.serialize_entry(key, &Coded::<T, C>::new(self))
    }
}

impl<T, C: Codec<T>> Field<C> for Option<T> {
    type Slot = Option<T>;

    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Option<T>,
        map: &mut A,
        mut place: Place<'_>,
    ) -> Result<(), A::Error> {
        *slot = C::read(map, &mut place)?;
        Ok(())
    }

    #[inline]
    fn finish<E: Error>(slot: Option<T>, _: &'static str) -> Result<Option<T>, E> {
        Ok(slot)
    }

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        written: Written,
        position: u32,
    ) -> Result<(), M::Error> {
        match self {
            Some(value) => map.serialize_entry(key, &Coded::<T, C>::new(value)),
            None if written.is_null(position) => map.serialize_entry(key, &()),
            None if written.is_blank(position) => map.serialize_entry(key, ""),
            None => Ok(()),
        }
    }
}

impl<T: Serialize + for<'de> Deserialize<'de>> Field<Plain> for Vec<T> {
    type Slot = Vec<T>;

    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        slot: &mut Vec<T>,
        map: &mut A,
        mut place: Place<'_>,
    ) -> Result<(), A::Error> {
        let list: Option<Vec<T>> = map.next_value()?;
        match list {
            Some(_) => place.was_blank(),
            None => place.was_null(),
        }
        *slot = list.unwrap_or_default();
        Ok(())
    }

    #[inline]
    fn finish<E: Error>(slot: Vec<T>, _: &'static str) -> Result<Vec<T>, E> {
        Ok(slot)
    }

    fn write<M: SerializeMap>(
        &self,
        map: &mut M,
        key: &str,
        written: Written,
        position: u32,
    ) -> Result<(), M::Error> {
        if !self.is_empty() || written.is_blank(position) {
            map.serialize_entry(key, self)
        } else if written.is_null(position) {
            map.serialize_entry(key, &())
        } else {
            Ok(())
        }
    }
}

/// A field's value as it is written.
pub(super) fn alone<T: Field<C>, C>(field: &T, written: Written, position: u32) -> Option<Value> {
    let mut map = serde_json::value::Serializer.serialize_map(None).ok()?;
    field.write(&mut map, "value", written, position).ok()?;
    match map.end().ok()? {
        Value::Object(mut object) => object.remove("value"),
        _ => None,
    }
}
