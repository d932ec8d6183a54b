//! Codecs for dates and times in TVmaze's formats.

use std::fmt::{self, Display, Write};
use std::marker::PhantomData;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Unexpected, Visitor};
use serde::ser::Serializer;
use serde_json::Number;

use super::codec::Codec;
use super::presence::FieldRecorder;

/// A date, a time of day or a timestamp as text; `""` if unknown.
pub(super) struct AsText;

pub(super) trait TextFormat: FromStr {
    /// Parses TVmaze's canonical format, in a quarter of the time that it takes to parse any format and
    /// compare the result with the text.
    fn parse_canonical(_: &[u8]) -> Option<Self> {
        None
    }

    /// Formats the value as TVmaze does.
    fn canonical(&self) -> impl Display;
}

impl TextFormat for Date {
    fn parse_canonical(text: &[u8]) -> Option<Date> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
        let year = 100 * i16::from(two_digits(y1, y2)?) + i16::from(two_digits(y3, y4)?);
        Date::new(year, two_digits(m1, m2)?, two_digits(d1, d2)?).ok()
    }

    fn canonical(&self) -> impl Display {
        self
    }
}

impl TextFormat for Time {
    fn parse_canonical(text: &[u8]) -> Option<Time> {
        let &[h1, h2, b':', m1, m2] = text else { return None };
        Time::new(two_digits(h1, h2)?, two_digits(m1, m2)?, 0, 0).ok()
    }

    /// `HH:MM`, with seconds only if they are not zero.
    fn canonical(&self) -> impl Display {
        let is_whole = (self.second(), self.subsec_nanosecond()) == (0, 0);
        self.strftime(if is_whole { "%H:%M" } else { "%H:%M:%S%.f" })
    }
}

impl TextFormat for Timestamp {
    /// With `+00:00` where jiff would write `Z`.
    fn canonical(&self) -> impl Display {
        self.strftime("%Y-%m-%dT%H:%M:%S%.f+00:00")
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<i8> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| ((tens - b'0') * 10 + (ones - b'0')).cast_signed())
}

impl<T: TextFormat> Codec<T> for AsText {
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        recorder: &mut FieldRecorder<'_>,
    ) -> Result<Option<T>, A::Error> {
        map.next_value_seed(TextSeed(recorder, PhantomData))
    }

    fn write<S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&value.canonical())
    }
}

/// Parses a string without copying it.
struct TextSeed<'a, 'r, T>(&'a mut FieldRecorder<'r>, PhantomData<T>);

impl<'de, T: TextFormat> DeserializeSeed<'de> for TextSeed<'_, '_, T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: TextFormat> Visitor<'de> for TextSeed<'_, '_, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a date or time")
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        self.0.mark_null();
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        if text.is_empty() {
            self.0.mark_empty();
            return Ok(None);
        }
        if let Some(value) = T::parse_canonical(text.as_bytes()) {
            return Ok(Some(value));
        }
        let value: Option<T> = text.parse().ok();
        if !value.as_ref().is_some_and(|value| displays_as(&value.canonical(), text)) {
            self.0.keep_raw(text);
        }
        Ok(value)
    }
}

/// Whether `value` is displayed as exactly `text`. Does not allocate.
fn displays_as(value: &impl Display, text: &str) -> bool {
    let mut matcher = PrefixMatcher { remaining: text };
    write!(matcher, "{value}").is_ok() && matcher.remaining.is_empty()
}

/// Compares what is written with the start of the remaining text.
struct PrefixMatcher<'a> {
    remaining: &'a str,
}

impl Write for PrefixMatcher<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        self.remaining = self.remaining.strip_prefix(written).ok_or(fmt::Error)?;
        Ok(())
    }
}

/// A timestamp as Unix time in seconds.
pub(super) struct UnixSeconds;

impl Codec<Timestamp> for UnixSeconds {
    fn read<'de, A: MapAccess<'de>>(
        map: &mut A,
        recorder: &mut FieldRecorder<'_>,
    ) -> Result<Option<Timestamp>, A::Error> {
        let Some(number) = map.next_value::<Option<Number>>()? else {
            recorder.mark_null();
            return Ok(None);
        };
        if let Some(fraction) = number.as_f64().filter(|_| number.is_f64()) {
            let unexpected = Unexpected::Float(fraction);
            return Err(A::Error::invalid_type(unexpected, &"Unix time in seconds"));
        }
        let timestamp = number.as_i64().and_then(|seconds| Timestamp::from_second(seconds).ok());
        if timestamp.is_none() {
            recorder.keep_raw(number);
        }
        Ok(timestamp)
    }

    fn write<S: Serializer>(value: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(value.as_second())
    }
}
