//! Custom (de)serialization of a field's value.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::MapAccess;
use serde::ser::{Serialize, Serializer};

use super::presence::FieldRecorder;

pub(super) trait Codec<T> {
    /// Reads the value of a key. What the result cannot reproduce goes to `recorder`.
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        recorder: &mut FieldRecorder<'_>,
    ) -> Result<Option<T>, A::Error>;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;
}

/// Serializes a value with the codec `C`.
pub(super) struct SerializeAs<'a, T, C>(&'a T, PhantomData<C>);

impl<'a, T, C> SerializeAs<'a, T, C> {
    pub(super) fn new(value: &'a T) -> SerializeAs<'a, T, C> {
        SerializeAs(value, PhantomData)
    }
}

impl<T, C: Codec<T>> Serialize for SerializeAs<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        C::write(self.0, serializer)
    }
}

/// The type's own serde implementation.
pub(super) struct Same;

impl<T: Serialize + for<'de> Deserialize<'de>> Codec<T> for Same {
    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        recorder: &mut FieldRecorder<'_>,
    ) -> Result<Option<T>, A::Error> {
        let value: Option<T> = map.next_value()?;
        if value.is_none() {
            recorder.mark_null();
        }
        Ok(value)
    }

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }
}

/// A number that TVmaze writes as `8`, not as `8.0`, when it is whole.
pub(super) struct CompactFloat;

/// Every integer below 2^53 is exact in an `f64`.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

impl Codec<f64> for CompactFloat {
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        recorder: &mut FieldRecorder<'_>,
    ) -> Result<Option<f64>, A::Error> {
        Same::read(map, recorder)
    }

    fn write<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.fract() == 0.0 && number.abs() < EXACT_BELOW {
            #[expect(clippy::cast_possible_truncation, reason = "checked: whole and small")]
            return serializer.serialize_i64(*number as i64);
        }
        serializer.serialize_f64(*number)
    }
}
