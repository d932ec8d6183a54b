//! Decoding never panics, and a serialized model decodes to itself.
//!
//! The first byte of the input selects the model, the rest is the response.
#![no_main]

use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
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
    let decoded: T = serde_json::from_value(written).expect("serialized models decode");
    assert_eq!(model, decoded);
}
