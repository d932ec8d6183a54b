//! What the models read, and what they write again.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tvmaze_client::{
    AlternateEpisode, CastCredit, CastMember, Episode, Person, ScheduledEpisode, ScoredShow,
    Season, Show, WithEmbedded, embed,
};

/// Checks that an object is written as it was received, except for absent keys. Returns the model.
pub(crate) fn survives<T>(received: &Value) -> T
where
    T: DeserializeOwned + Serialize + PartialEq + Debug,
{
    // From text, like the client.
    let model: T = serde_json::from_str(&received.to_string())
        .unwrap_or_else(|error| panic!("{error}: {received}"));
    let written = serde_json::to_value(&model).unwrap();
    assert!(covers(&written, received), "received {received}, written {written}");
    let again: T = serde_json::from_value(written).unwrap();
    assert_eq!(again, model);
    model
}

/// Whether `written` is `received`, where absent keys can be null or empty.
fn covers(written: &Value, received: &Value) -> bool {
    match (written, received) {
        (Value::Object(written), Value::Object(received)) => {
            let is_empty = |value: &Value| [json!(null), json!(""), json!([])].contains(value);
            received.keys().all(|key| written.contains_key(key))
                && written.iter().all(|(key, value)| match received.get(key) {
                    Some(received) => covers(value, received),
                    None => is_empty(value),
                })
        }
        (Value::Array(written), Value::Array(received)) => {
            let mut pairs = written.iter().zip(received);
            written.len() == received.len() && pairs.all(|(one, other)| covers(one, other))
        }
        (Value::String(written), Value::String(received)) => {
            written == received || is_same_time(written, received)
        }
        _ => written == received,
    }
}

/// In the oldest responses, timestamps have the offset of the network's time zone.
fn is_same_time(one: &str, other: &str) -> bool {
    let parse = |text: &str| text.parse::<jiff::Timestamp>().ok();
    parse(one).is_some_and(|one| Some(one) == parse(other))
}

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

fn texts() -> impl Strategy<Value = Value> {
    proptest::collection::vec(any::<String>(), 0..3).prop_map(Value::from)
}

fn number() -> impl Strategy<Value = Value> {
    any::<i64>().prop_map(Value::from)
}

fn id() -> ValueStrategy {
    always(any::<u32>().prop_map(Value::from))
}

fn rating() -> impl Strategy<Value = Value> {
    let average = (0..=100_u32).prop_map(|tenths| match tenths % 10 {
        0 => json!(tenths / 10),
        _ => json!(f64::from(tenths) / 10.0),
    });
    object(vec![("average", maybe(average))])
}

fn matching(pattern: &'static str) -> impl Strategy<Value = Value> {
    pattern.prop_map(Value::from)
}

fn object(keys: Vec<(&'static str, ValueStrategy)>) -> BoxedStrategy<Value> {
    let (names, strategies): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let unknown = ("[A-Z]{1,3}", prop_oneof![text(), texts(), number(), nested()]);
    (strategies, proptest::option::weighted(0.2, unknown))
        .prop_map(move |(values, unknown)| {
            let known = names.iter().map(|name| (*name).to_owned()).zip(values);
            let known = known.filter_map(|(name, value)| Some((name, value?)));
            known.chain(unknown).collect::<Map<_, _>>().into()
        })
        .boxed()
}

/// A nested object that has no model.
fn nested() -> impl Strategy<Value = Value> {
    any::<Option<f64>>().prop_map(|votes| json!({"votes": {"sum": votes}}))
}

fn show() -> BoxedStrategy<Value> {
    let date = || maybe(matching("[12][0-9]{3}-(0[1-9]|1[0-2])-[0-2][1-8]"));
    let time = prop_oneof![matching("[01][0-9]:[0-5][0-9](:[0-5][1-9])?"), Just(json!(""))];
    let country = || {
        object(vec![("name", maybe(text())), ("code", maybe(text())), ("timezone", maybe(text()))])
    };
    let network =
        object(vec![("id", id()), ("name", maybe(text())), ("country", maybe(country()))]);
    let link = object(vec![("href", maybe(text()))]);
    object(vec![
        ("id", id()),
        ("name", always(text())),
        ("type", maybe(text())),
        ("genres", always(texts())),
        ("averageRuntime", maybe(number())),
        ("premiered", date()),
        ("ended", date()),
        ("schedule", maybe(object(vec![("time", always(time)), ("days", always(texts()))]))),
        ("rating", maybe(rating())),
        ("webChannel", maybe(network)),
        ("dvdCountry", maybe(country())),
        ("image", maybe(object(vec![("medium", maybe(text())), ("original", maybe(text()))]))),
        ("updated", maybe((0..4_000_000_000_i64).prop_map(Value::from))),
        ("_links", maybe(object(vec![("self", always(link))]))),
    ])
}

proptest! {
    #[test]
    fn a_show_survives(sent in show()) {
        survives::<Show>(&sent);
        survives::<ScoredShow>(&json!({"score": 0.75, "show": sent}));
    }

    #[test]
    fn a_date_of_any_text_does_no_harm(
        date in "([0-9]{4}-[01][0-9]-[0-3][0-9])?.{0,12}",
        time in "([0-2][0-9]:[0-6][0-9](:[0-6][0-9])?)?.{0,4}",
        offset in "Z|[+-]0[0-9]:[03]0|",
        updated in any::<i64>(),
    ) {
        let sent = json!({"id": 1, "name": "X", "airdate": date, "airtime": time,
            "airstamp": format!("{date}T{time}{offset}"), "birthday": date, "updated": updated});
        let text = sent.to_string();
        let episode: Episode = serde_json::from_str(&text).unwrap();
        let again = serde_json::from_value(serde_json::to_value(&episode).unwrap());
        prop_assert_eq!(again.ok(), Some(episode));
        let person: Person = serde_json::from_str(&text).unwrap();
        let again = serde_json::from_value(serde_json::to_value(&person).unwrap());
        prop_assert_eq!(again.ok(), Some(person));
    }

    #[test]
    fn no_text_makes_the_decoder_panic(text in any::<String>(), odd in "[\\[\\]{}\":,0-9a-z]{0,40}") {
        let _ = serde_json::from_str::<Show>(&text);
        let _ = serde_json::from_str::<Show>(&odd);
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
    assert!(error::<Show>(r#"{"id": null, "name": "X"}"#).contains("null, expected u32"));
}

#[test]
fn a_wrong_type_is_named() {
    let with = |rest: &str| error::<Show>(&format!(r#"{{"id": 1, "name": "X", {rest}}}"#));
    assert!(with(r#""language": 5"#).contains("integer `5`, expected a string"));
    assert!(with(r#""runtime": "60""#).contains("string \"60\", expected i64"));
    assert!(with(r#""genres": {}"#).contains("map, expected a sequence"));
    assert!(with(r#""network": []"#).contains("sequence, expected struct Network"));
    assert!(with(r#""premiered": 2013"#).contains("integer `2013`, expected a string"));
    assert!(with(r#""updated": "5""#).contains("string \"5\", expected i64"));
    assert!(with(r#""updated": 5.5"#).contains("`5.5`, expected i64"));
    assert!(with(r#""rating": {"average": "8"}"#).contains("string \"8\""));
    assert!(with(r#""id": 2"#).contains("duplicate field `id`"));
    assert!(error::<Show>("[]").contains("sequence, expected struct Show"));
    assert!(error::<Show>(r#"{"id": -1, "name": "X"}"#).contains("integer `-1`"));
}

#[test]
fn a_key_that_is_absent_comes_back_as_an_unknown_value() {
    let show: Show = survives(&json!({"id": 1, "name": "X", "schedule": {}, "_links": {}}));
    let written = json!({"id": 1, "name": "X", "url": null, "type": null, "language": null,
        "genres": [], "status": null, "runtime": null, "averageRuntime": null, "premiered": null,
        "ended": null, "officialSite": null, "schedule": {"time": "", "days": []}, "rating": null,
        "weight": null, "network": null, "webChannel": null, "dvdCountry": null, "externals": null,
        "image": null, "summary": null, "updated": null, "_links": {}});
    assert_eq!(serde_json::to_value(&show).unwrap(), written);
}

#[test]
fn a_list_that_is_null_is_empty() {
    let sent = json!({"id": 1, "name": "X", "genres": null, "schedule": {"days": null}});
    let show: Show = serde_json::from_value(sent).unwrap();
    assert!(show.genres.is_empty() && show.schedule.unwrap().days.is_empty());
}

#[test]
fn a_field_that_is_set_or_emptied_is_written() {
    let sent = json!({"id": 1, "name": "X", "language": "English", "votes": null});
    let mut show: Show = serde_json::from_value(sent).unwrap();
    show.language = None;
    show.premiered = Some(jiff::civil::date(2013, 6, 24));
    show.genres.push("Drama".into());
    let written = serde_json::to_value(&show).unwrap();
    assert_eq!(written["language"], Value::Null);
    assert_eq!(written["premiered"], "2013-06-24");
    assert_eq!(written["genres"], json!(["Drama"]));
    assert_eq!(written.get("votes"), Some(&Value::Null));
}

#[test]
fn a_date_that_a_type_cannot_hold_is_unknown() {
    let sent = json!({"id": 1, "name": "X", "birthday": "1979-00-17", "deathday": "",
        "updated": i64::MAX});
    let person: Person = serde_json::from_value(sent).unwrap();
    assert_eq!((person.birthday, person.deathday, person.updated), (None, None, None));
    let written = serde_json::to_value(&person).unwrap();
    assert_eq!(written["birthday"], Value::Null);
    let sent = json!({"id": 1, "premiereDate": "soon", "endDate": "2013-06-24"});
    let season: Season = serde_json::from_value(sent).unwrap();
    assert_eq!(
        (season.premiere_date, season.end_date),
        (None, Some(jiff::civil::date(2013, 6, 24)))
    );
}

#[test]
fn an_unknown_date_or_time_of_an_episode_is_written_as_an_empty_text() {
    let sent = json!({"id": 1, "name": "X", "airdate": "", "airtime": "", "airstamp": null});
    survives::<Episode>(&sent);
    survives::<AlternateEpisode>(&sent);
    let sent = json!({"id": 1, "name": "X", "airdate": null, "airtime": "noon", "airstamp": ""});
    let episode: Episode = serde_json::from_value(sent).unwrap();
    assert_eq!((episode.airdate, episode.airtime, episode.airstamp), (None, None, None));
    let written = serde_json::to_value(&episode).unwrap();
    assert_eq!((&written["airdate"], &written["airstamp"]), (&json!(""), &Value::Null));
}

#[test]
fn a_timestamp_with_another_offset_is_written_in_utc() {
    let sent = json!({"id": 1, "name": "X", "airdate": "2013-06-24", "airtime": "22:00:00",
        "airstamp": "2013-06-24T22:00:00-04:00"});
    let episode: Episode = serde_json::from_value(sent).unwrap();
    assert_eq!(episode.airdate, Some(jiff::civil::date(2013, 6, 24)));
    assert_eq!(episode.airtime, Some(jiff::civil::time(22, 0, 0, 0)));
    assert_eq!(episode.airstamp, Some("2013-06-25T02:00:00Z".parse().unwrap()));
    let written = serde_json::to_value(&episode).unwrap();
    assert_eq!(written["airtime"], "22:00");
    assert_eq!(written["airstamp"], "2013-06-25T02:00:00+00:00");
}

#[test]
fn what_was_asked_for_is_taken_and_the_rest_stays() {
    type ShowWithEpisodes = WithEmbedded<Show, (embed::Episodes, embed::NextEpisode)>;
    let episode = json!({"id": 2, "name": "Pilot"});
    let embedded = json!({"episodes": [episode], "nextepisode": episode, "cast": []});
    let sent = json!({"id": 1, "name": "X", "_embedded": embedded});
    let show: ShowWithEpisodes = survives(&sent);
    let (episodes, next) = &show.embedded;
    assert_eq!(episodes[0].id, next.as_ref().unwrap().id);
    assert_eq!(show.extra["_embedded"], json!({"cast": []}));
    assert_eq!(show.name, "X", "it dereferences to the show");
}

#[test]
fn a_credit_has_its_show_and_its_character() {
    let sent = json!({"self": false, "voice": true, "_links": {"show": {"href": "https://s"}},
        "_embedded": {"show": {"id": 1, "name": "X"}, "character": {"id": 2, "name": "Y"}}});
    let credit: WithEmbedded<CastCredit, (embed::Show, embed::Character)> = survives(&sent);
    let (show, character) = &credit.embedded;
    assert_eq!((show.id.0, character.id.0, credit.voice), (1, 2, Some(true)));
}

#[test]
fn a_show_beside_or_embedded_goes_back_where_it_came_from() {
    let show = json!({"id": 2, "name": "X", "url": null});
    let inline = json!({"id": 1, "name": "Pilot", "show": show});
    let embedded = json!({"id": 1, "name": "Pilot", "_embedded": {"show": show, "more": 1}});
    for sent in [inline, embedded] {
        let scheduled: ScheduledEpisode = survives(&sent);
        assert_eq!((scheduled.id.0, scheduled.show.id.0), (1, 2));
    }
}

#[test]
fn a_scheduled_episode_without_its_show_is_an_error_that_names_it() {
    let error = |sent: Value| error::<ScheduledEpisode>(&sent.to_string());
    assert!(error(json!({"id": 1, "name": "Pilot"})).contains("missing field `show`"));
    assert!(error(json!({"id": 1, "name": "Pilot", "show": 5})).contains("`show`: invalid"));
}
