//! Whatever an answer holds: an error or a model, never a panic, and a model is written as it came.
//!
//! The first byte of the input picks the model, the rest is the answer.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tvmaze_client::{
    Aka, AlternateEpisode, AlternateList, CastCredit, CastMember, CrewCredit, CrewMember, Episode,
    GuestCastCredit, Person, ScheduledEpisode, ScoredPerson, ScoredShow, Season, Show, ShowImage,
    With, embed,
};

fuzz_target!(|input: &[u8]| {
    let Some((model, answer)) = input.split_first() else { return };
    match model {
        b'a' => check::<Aka>(answer),
        b'c' => check::<CastMember>(answer),
        b'd' => check::<CastCredit>(answer),
        b'e' => check::<Episode>(answer),
        b'g' => check::<GuestCastCredit>(answer),
        b'i' => check::<ShowImage>(answer),
        b'l' => check::<AlternateList>(answer),
        b'm' => check::<AlternateEpisode>(answer),
        b'n' => check::<CrewCredit>(answer),
        b'p' => check::<Person>(answer),
        b'r' => check::<CrewMember>(answer),
        b's' => check::<Show>(answer),
        b't' => check::<ScheduledEpisode>(answer),
        b'u' => check::<ScoredShow>(answer),
        b'v' => check::<ScoredPerson>(answer),
        b'w' => check::<With<Show, (embed::Episodes, embed::NextEpisode)>>(answer),
        b'z' => check::<Season>(answer),
        _ => {}
    }
});

fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(answer: &[u8]) {
    let Ok(model) = serde_json::from_slice::<T>(answer) else { return };
    let written = serde_json::to_value(&model).expect("a model can be written");
    let came = serde_json::from_slice(answer).expect("a model comes from JSON");
    assert!(same(&came, &written), "came {came}, written {written}");
    let again: T = serde_json::from_value(written).expect("what was written can be read");
    assert_eq!(model, again);
}

/// Whether both are the same JSON: `8` and `8.0` are one number.
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
