//! Real answers of TVmaze, where they are at hand: `../shared/tvmaze` beside the checkout.

use std::path::PathBuf;

use serde_json::Value;
use tvmaze_client::{CastMember, Show};

/// The JSON files of a folder of recordings; none, with a word about it, where there are no recordings.
fn recordings(folder: &str, test: &str) -> Vec<Value> {
    let root =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tvmaze").join(folder);
    let Ok(files) = std::fs::read_dir(&root) else {
        println!("skipped: {test} needs the recordings in {}", root.display());
        return Vec::new();
    };
    let read = |path: PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    files.map(|file| read(file.unwrap().path())).collect()
}

/// Whether `ours` is `theirs`, where a key that they lack may be null.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            theirs.keys().all(|key| ours.contains_key(key))
                && ours.iter().all(|(key, value)| match theirs.get(key) {
                    Some(their) => same(value, their),
                    None => value.is_null(),
                })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
        }
        _ => ours == theirs,
    }
}

#[test]
fn every_recorded_show_survives_the_model() {
    for page in recordings("pages", "every_recorded_show_survives_the_model") {
        for recorded in page.as_array().unwrap() {
            let show: Show = serde_json::from_value(recorded.clone()).unwrap();
            let ours = serde_json::to_value(&show).unwrap();
            assert!(same(&ours, recorded), "{ours}\n{recorded}");
            assert!(show.extra.is_empty(), "unknown to the model: {:?}", show.extra);
        }
    }
}

#[test]
fn every_recorded_cast_survives_the_model() {
    for cast in recordings("cast", "every_recorded_cast_survives_the_model") {
        for recorded in cast.as_array().unwrap() {
            let member: CastMember = serde_json::from_value(recorded.clone()).unwrap();
            let ours = serde_json::to_value(&member).unwrap();
            assert!(same(&ours, recorded), "{ours}\n{recorded}");
        }
    }
}
