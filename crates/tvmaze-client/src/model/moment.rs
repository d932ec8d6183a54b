//! Dates and times, as TVmaze writes them.

use std::fmt::{self, Display, Write};
use std::marker::PhantomData;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::ser::Serializer;
use serde_json::Number;

use super::codec::Codec;
use super::field::Place;

/// A date, a time of day or a moment as text, `""` when unknown.
pub(super) struct Text;

/// What TVmaze writes in one way.
pub(super) trait Textual: FromStr {
    /// The value of a text in the usual form: a quarter of the time that parsing and writing takes.
    fn usual(_: &[u8]) -> Option<Self> {
        None
    }

    fn text(&self) -> impl Display;
}

impl Textual for Date {
    fn usual(text: &[u8]) -> Option<Date> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
        let year = 100 * i16::from(two_digits(y1, y2)?) + i16::from(two_digits(y3, y4)?);
        Date::new(year, two_digits(m1, m2)?, two_digits(d1, d2)?).ok()
    }

    fn text(&self) -> impl Display {
        self
    }
}

impl Textual for Time {
    fn usual(text: &[u8]) -> Option<Time> {
        let &[h1, h2, b':', m1, m2] = text else { return None };
        Time::new(two_digits(h1, h2)?, two_digits(m1, m2)?, 0, 0).ok()
    }

    /// `HH:MM`, with more only where there is more.
    fn text(&self) -> impl Display {
        let is_whole = (self.second(), self.subsec_nanosecond()) == (0, 0);
        self.strftime(if is_whole { "%H:%M" } else { "%H:%M:%S%.f" })
    }
}

impl Textual for Timestamp {
    /// With `+00:00` where jiff would write `Z`.
    fn text(&self) -> impl Display {
        self.strftime("%Y-%m-%dT%H:%M:%S%.f+00:00")
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<i8> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| ((tens - b'0') * 10 + (ones - b'0')).cast_signed())
}

impl<T: Textual> Codec<T> for Text {
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        place: &mut Place<'_>,
    ) -> Result<Option<T>, A::Error> {
        map.next_value_seed(TextSeed(place, PhantomData))
    }

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&value.text())
    }
}

/// Reads a text without copying it.
struct TextSeed<'a, 'p, T>(&'a mut Place<'p>, PhantomData<T>);

impl<'de, T: Textual> DeserializeSeed<'de> for TextSeed<'_, '_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: Textual> Visitor<'de> for TextSeed<'_, '_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a date or time")
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        self.0.was_null();
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        if text.is_empty() {
            self.0.was_blank();
            return Ok(None);
        }
        if let Some(value) = T::usual(text.as_bytes()) {
            return Ok(Some(value));
        }
        let value: Option<T> = text.parse().ok();
        if !value.as_ref().is_some_and(|value| is_written(&value.text(), text)) {
            self.0.was(text);
        }
        Ok(value)
    }
}

/// Whether `value` is written as exactly `text`; found out without allocating.
fn is_written(value: &impl Display, text: &str) -> bool {
    let mut rest = Rest(text);
    write!(rest, "{value}").is_ok() && rest.0.is_empty()
}

/// What is still to be written of a text.
struct Rest<'a>(&'a str);

impl Write for Rest<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// A moment as Unix time in seconds.
pub(super) struct UnixSeconds;

impl Codec<Timestamp> for UnixSeconds {
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        place: &mut Place<'_>,
    ) -> Result<Option<Timestamp>, A::Error> {
        let Some(number) = map.next_value::<Option<Number>>()? else {
            place.was_null();
            return Ok(None);
        };
        if let Some(fraction) = number.as_f64().filter(|_| number.is_f64()) {
            let unexpected = Unexpected::Float(fraction);
            return Err(A::Error::invalid_type(unexpected, &"Unix time in seconds"));
        }
        let moment = number.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok());
        if moment.is_none() {
            place.was(number);
        }
        Ok(moment)
    }

    fn write<S: Serializer>(value: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(value.as_second())
    }
}
