//! How a value is read and written where serde's own way does not fit.

use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::MapAccess;
use serde::ser::{Serialize, Serializer};

use super::field::Place;

/// Reads and writes a `T`.
pub(super) trait Codec<T> {
    /// The value of a key; what `None` or another text than the value's own stands for is noted in
    /// `place`.
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        place: &mut Place<'_>,
    ) -> Result<Option<T>, A::Error>;

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A value that is written by the codec `C`.
pub(super) struct Coded<'a, T, C>(&'a T, PhantomData<C>);

impl<'a, T, C> Coded<'a, T, C> {
    pub(super) fn new(value: &'a T) -> Coded<'a, T, C> {
        Coded(value, PhantomData)
    }
}

impl<T, C: Codec<T>> Serialize for Coded<'_, T, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        C::write(self.0, serializer)
    }
}

/// serde's own way.
pub(super) struct Plain;

impl<T: Serialize + for<'de> Deserialize<'de>> Codec<T> for Plain {
    #[inline]
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        place: &mut Place<'_>,
    ) -> Result<Option<T>, A::Error> {
        let value: Option<T> = map.next_value()?;
        if value.is_none() {
            place.was_null();
        }
        Ok(value)
    }

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }
}

/// A number that TVmaze writes as `8` when it is whole, never as `8.0`.
pub(super) struct WholeOrFraction;

/// Every whole number below it is exact in an `f64`: 2 to the power of 53.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

impl Codec<f64> for WholeOrFraction {
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        place: &mut Place<'_>,
    ) -> Result<Option<f64>, A::Error> {
        Plain::read(map, place)
    }

    fn write<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        if number.fract() == 0.0 && number.abs() < EXACT_BELOW {
            #[expect(clippy::cast_possible_truncation, reason = "checked: whole and small")]
            return serializer.serialize_i64(*number as i64);
        }
        serializer.serialize_f64(*number)
    }
}
