use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{CastMember, Episode, Person, ScoredShow, Season, Show};

/// Generates a key's value; `None` is an absent key.
type ValueStrategy = BoxedStrategy<Option<Value>>;

fn maybe(value: impl Strategy<Value = Value> + 'static) -> ValueStrategy {
    prop_oneof![1 => Just(None), 1 => Just(Some(Value::Null)), 3 => value.prop_map(Some)].boxed()
}

fn always(value: impl Strategy<Value = Value> + 'static) -> ValueStrategy {
    value.prop_map(Some).boxed()
}

fn text() -> impl Strategy<Value = Value> {
    any::<String>().prop_map(Value::from)
}

fn number() -> impl Strategy<Value = Value> {
    any::<i64>().prop_map(Value::from)
}

fn id() -> impl Strategy<Value = Value> {
    any::<u32>().prop_map(Value::from)
}

fn flag() -> impl Strategy<Value = Value> {
    any::<bool>().prop_map(Value::from)
}

fn rating() -> impl Strategy<Value = Value> {
    let average = (0..=100_u32).prop_map(|tenths| match tenths % 10 {
        0 => json!(tenths / 10),
        _ => json!(f64::from(tenths) / 10.0),
    });
    object(vec![("average", maybe(average))])
}

/// Dates, times and timestamps: valid, in an unusual format, or invalid.
fn date_time() -> impl Strategy<Value = Value> {
    let date = "[0-9]{4}-[01][0-9]-[0-3][0-9]";
    let time = "[0-2][0-9]:[0-6][0-9](:[0-6][0-9])?";
    let offset = "Z|[+-]0[0-9]:[03]0";
    let timestamp =
        (date, time, offset).prop_map(|(date, time, offset)| format!("{date}T{time}{offset}"));
    prop_oneof![Just(String::new()), date, time, timestamp, ".{0,12}"].prop_map(Value::from)
}

fn unix_seconds() -> impl Strategy<Value = Value> {
    let plausible = 0..4_000_000_000_i64;
    prop_oneof![plausible.prop_map(Value::from), number(), any::<u64>().prop_map(Value::from)]
}

fn texts() -> impl Strategy<Value = Value> {
    proptest::collection::vec(any::<String>(), 0..3).prop_map(Value::from)
}

fn object(keys: Vec<(&'static str, ValueStrategy)>) -> BoxedStrategy<Value> {
    let (names, strategies): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let unknown = ("[A-Z]{1,3}", prop_oneof![text(), texts(), Just(Value::Null)]);
    (strategies, proptest::option::weighted(0.2, unknown))
        .prop_map(move |(values, unknown)| {
            let known = names.iter().map(|name| (*name).to_owned()).zip(values);
            let known = known.filter_map(|(name, value)| Some((name, value?)));
            known.chain(unknown).collect::<Map<_, _>>().into()
        })
        .boxed()
}

fn country() -> impl Strategy<Value = Value> {
    object(vec![("name", maybe(text())), ("code", maybe(text())), ("timezone", maybe(text()))])
}

fn image() -> impl Strategy<Value = Value> {
    object(vec![("medium", maybe(text())), ("original", maybe(text()))])
}

fn network() -> impl Strategy<Value = Value> {
    object(vec![("id", always(id())), ("name", maybe(text())), ("country", maybe(country()))])
}

fn links() -> impl Strategy<Value = Value> {
    let link = || object(vec![("href", maybe(text())), ("name", maybe(text()))]);
    object(vec![("self", maybe(link())), ("nextepisode", maybe(link())), ("show", maybe(link()))])
}

fn show() -> BoxedStrategy<Value> {
    object(vec![
        ("id", always(id())),
        ("name", always(text())),
        ("type", maybe(text())),
        ("genres", maybe(texts())),
        ("averageRuntime", maybe(number())),
        ("premiered", maybe(date_time())),
        ("schedule", maybe(object(vec![("time", maybe(date_time())), ("days", maybe(texts()))]))),
        ("rating", maybe(rating())),
        ("network", maybe(network())),
        ("dvdCountry", maybe(country())),
        ("image", maybe(image())),
        ("updated", maybe(unix_seconds())),
        ("_links", maybe(links())),
    ])
}

fn episode() -> BoxedStrategy<Value> {
    object(vec![
        ("id", always(id())),
        ("name", always(text())),
        ("number", maybe(number())),
        ("airdate", maybe(date_time())),
        ("airtime", maybe(date_time())),
        ("airstamp", maybe(date_time())),
        ("rating", maybe(rating())),
        ("_embedded", maybe(object(vec![("show", maybe(show()))]))),
    ])
}

fn season() -> BoxedStrategy<Value> {
    object(vec![
        ("id", always(id())),
        ("premiereDate", maybe(date_time())),
        ("endDate", maybe(date_time())),
        ("webChannel", maybe(network())),
        ("episodes", maybe(texts())),
    ])
}

fn cast_member() -> BoxedStrategy<Value> {
    let person = object(vec![
        ("id", always(id())),
        ("name", always(text())),
        ("country", maybe(country())),
        ("birthday", maybe(date_time())),
        ("updated", maybe(unix_seconds())),
    ]);
    let character =
        object(vec![("id", always(id())), ("name", always(text())), ("image", maybe(image()))]);
    object(vec![
        ("person", always(person)),
        ("character", always(character)),
        ("self", maybe(flag())),
        ("voice", maybe(flag())),
    ])
}

/// Checks the round trip from text and from a value, which have different deserializers.
fn survives<T: DeserializeOwned + Serialize>(sent: &Value) -> Result<(), TestCaseError> {
    let from_text: T = serde_json::from_slice(&serde_json::to_vec(sent).unwrap()).unwrap();
    prop_assert_eq!(&serde_json::to_value(&from_text).unwrap(), sent);
    let from_value: T = serde_json::from_value(sent.clone()).unwrap();
    prop_assert_eq!(&serde_json::to_value(&from_value).unwrap(), sent);
    Ok(())
}

proptest! {
    #[test]
    fn a_show_survives(sent in show()) {
        survives::<Show>(&sent)?;
        survives::<ScoredShow>(&json!({"score": 0.75, "show": sent}))?;
    }

    #[test]
    fn an_episode_survives(sent in episode()) {
        survives::<Episode>(&sent)?;
    }

    #[test]
    fn a_season_survives(sent in season()) {
        survives::<Season>(&sent)?;
    }

    #[test]
    fn a_row_of_a_cast_survives(sent in cast_member()) {
        survives::<CastMember>(&sent)?;
    }

    #[test]
    fn no_text_makes_the_decoder_panic(text in any::<String>(), odd in "[\\[\\]{}\":,0-9a-z]{0,40}") {
        let _ = serde_json::from_str::<Show>(&text);
        let _ = serde_json::from_str::<Show>(&odd);
    }

    #[test]
    fn a_key_says_the_same_alone(sent in show()) {
        let show: Show = serde_json::from_value(sent.clone()).unwrap();
        for key in ["id", "genres", "premiered", "schedule", "updated", "network", "unknown", "X"] {
            prop_assert_eq!(show.json_value(key), sent.get(key).cloned());
        }
    }
}

fn error<T: DeserializeOwned>(sent: &str) -> String {
    match serde_json::from_str::<T>(sent) {
        Ok(_) => panic!("read: {sent}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_missing_key_is_named() {
    assert!(error::<Show>(r#"{"name": "X"}"#).contains("missing field `id`"));
    assert!(error::<Show>(r#"{"id": 1}"#).contains("missing field `name`"));
    assert!(error::<CastMember>(r#"{"person": {"id": 1, "name": "X"}}"#).contains("`character`"));
    assert!(error::<Show>(r#"{"id": null, "name": "X"}"#).contains("`id` is null"));
}

#[test]
fn a_wrong_type_is_named() {
    let with = |rest: &str| error::<Show>(&format!(r#"{{"id": 1, "name": "X", {rest}}}"#));
    assert!(with(r#""language": 5"#).contains("integer `5`, expected a string"));
    assert!(with(r#""runtime": "60""#).contains("string \"60\", expected i64"));
    assert!(with(r#""genres": {}"#).contains("map, expected a sequence"));
    assert!(with(r#""network": []"#).contains("sequence, expected an object, Network"));
    assert!(with(r#""premiered": 2013"#).contains("expected the text of a date or time"));
    assert!(with(r#""updated": "5""#).contains("string \"5\""));
    assert!(with(r#""updated": 5.5"#).contains("`5.5`, expected Unix time"));
    assert!(with(r#""rating": {"average": "8"}"#).contains("string \"8\""));
    assert!(error::<Show>("[]").contains("sequence, expected an object, Show"));
    assert!(error::<Show>(r#"{"id": -1, "name": "X"}"#).contains("integer `-1`"));
}

#[test]
fn the_last_of_two_equal_keys_counts() {
    let read = |rest: &str| -> Value {
        let sent = format!(r#"{{"id": 1, "id": 2, "name": "X", {rest}}}"#);
        serde_json::to_value(serde_json::from_str::<Show>(&sent).unwrap()).unwrap()
    };
    let premiered = |rest: &str| read(rest)["premiered"].take();
    assert_eq!(read(r#""A": 1, "A": 2"#), json!({"id": 2, "name": "X", "A": 2}));
    assert_eq!(premiered(r#""premiered": "soon", "premiered": "2013-06-24""#), json!("2013-06-24"));
    assert_eq!(premiered(r#""premiered": "2013-06-24", "premiered": null"#), Value::Null);
    assert_eq!(premiered(r#""premiered": null, "premiered": """#), json!(""));
    assert_eq!(read(r#""genres": ["A"], "genres": null"#)["genres"], Value::Null);
}

#[test]
fn a_field_that_is_emptied_is_left_out_and_one_that_is_set_is_written() {
    let sent = json!({"id": 1, "name": "X", "language": "English", "gender": null, "url": null});
    let mut show: Show = serde_json::from_value(sent).unwrap();
    show.language = None;
    show.url = Some("https://x".into());
    show.premiered = Some(jiff::civil::date(2013, 6, 24));
    show.genres.push("Drama".into());
    let written = json!({"id": 1, "name": "X", "gender": null, "url": "https://x",
        "premiered": "2013-06-24", "genres": ["Drama"]});
    assert_eq!(serde_json::to_value(&show).unwrap(), written);
}

#[test]
fn a_date_that_a_type_cannot_hold_is_kept_as_it_came() {
    let sent = json!({"id": 1, "name": "X", "birthday": "1979-00-17", "deathday": "",
        "updated": u64::MAX});
    let person: Person = serde_json::from_value(sent.clone()).unwrap();
    assert_eq!((person.birthday, person.deathday, person.updated), (None, None, None));
    assert_eq!(person.extra["birthday"], json!("1979-00-17"));
    assert!(!person.extra.contains_key("deathday"));
    assert_eq!(serde_json::to_value(&person).unwrap(), sent);
}

#[test]
fn a_moment_of_another_offset_is_read_and_kept_as_it_came() {
    let sent = json!({"id": 1, "name": "X", "airdate": "2013-06-24", "airtime": "22:00:00",
        "airstamp": "2013-06-24T22:00:00-04:00"});
    let mut episode: Episode = serde_json::from_value(sent.clone()).unwrap();
    assert_eq!(episode.airdate, Some(jiff::civil::date(2013, 6, 24)));
    assert_eq!(episode.airtime, Some(jiff::civil::time(22, 0, 0, 0)));
    assert_eq!(episode.airstamp, Some("2013-06-25T02:00:00Z".parse().unwrap()));
    assert_eq!(episode.extra.keys().collect::<Vec<_>>(), ["airstamp", "airtime"]);
    assert_eq!(serde_json::to_value(&episode).unwrap(), sent);
    episode.extra.clear();
    let canonical = json!({"id": 1, "name": "X", "airdate": "2013-06-24", "airtime": "22:00",
        "airstamp": "2013-06-25T02:00:00+00:00"});
    assert_eq!(serde_json::to_value(&episode).unwrap(), canonical);
}
