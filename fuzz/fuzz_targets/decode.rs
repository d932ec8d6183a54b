//! Decoding never panics, and a decoded model serializes to its input.
//!
//! The first byte of the input selects the model, the rest is the response.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tvmaze_client::{
    Aka, AlternateEpisode, AlternateList, CastCredit, CastMember, CrewCredit, CrewMember, Episode,
    GuestCastCredit, Person, ScheduledEpisode, ScoredPerson, ScoredShow, Season, Show, ShowImage,
    WithEmbedded, embed,
};

fuzz_target!(|input: &[u8]| {
    let Some((model, body)) = input.split_first() else { return };
    match model {
        b'a' => check::<Aka>(body),
        b'c' => check::<CastMember>(body),
        b'd' => check::<CastCredit>(body),
        b'e' => check::<Episode>(body),
        b'g' => check::<GuestCastCredit>(body),
        b'i' => check::<ShowImage>(body),
        b'l' => check::<AlternateList>(body),
        b'm' => check::<AlternateEpisode>(body),
        b'n' => check::<CrewCredit>(body),
        b'p' => check::<Person>(body),
        b'r' => check::<CrewMember>(body),
        b's' => check::<Show>(body),
        b't' => check::<ScheduledEpisode>(body),
        b'u' => check::<ScoredShow>(body),
        b'v' => check::<ScoredPerson>(body),
        b'w' => check::<WithEmbedded<Show, (embed::Episodes, embed::NextEpisode)>>(body),
        b'z' => check::<Season>(body),
        _ => {}
    }
});

fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(body: &[u8]) {
    let Ok(model) = serde_json::from_slice::<T>(body) else { return };
    let written = serde_json::to_value(&model).expect("models serialize");
    let received = serde_json::from_slice(body).expect("models decode only from JSON");
    assert!(same(&received, &written), "received {received}, written {written}");
    let decoded: T = serde_json::from_value(written).expect("serialized models decode");
    assert_eq!(model, decoded);
}

/// Whether two JSON values are equal, where `8` equals `8.0`.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same_key = |(key, value)| other.get(key).is_some_and(|other| same(value, other));
            one.len() == other.len() && one.iter().all(same_key)
        }
        _ => one == other,
    }
}
