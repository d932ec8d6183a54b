//! TVmaze's shapes become the domain's, and nothing is lost on the way.

use serde_json::{Error, Map, Value};
use tvmaze_client::ShowId as TvmazeId;
use tvshows_core::{CastMember, Json, Show, ShowId};

use crate::error::RunError;
use crate::index::Updates;

pub(crate) fn show(mut show: tvmaze_client::Show) -> Result<Show, Error> {
    let premiered = text(show.value_of("premiered"));
    let ended = text(show.value_of("ended"));
    let updated = show.value_of("updated").and_then(|seconds| seconds.as_i64());
    let extra = extra(&mut show)?;
    Ok(Show {
        id: ShowId(show.id.0),
        name: show.name,
        kind: show.kind,
        language: show.language,
        genres: show.genres,
        status: show.status,
        premiered,
        ended,
        rating_average: show.rating.and_then(|rating| rating.average),
        summary: show.summary,
        updated,
        url: show.url,
        runtime: show.runtime,
        average_runtime: show.average_runtime,
        official_site: show.official_site,
        weight: show.weight,
        schedule: json(show.schedule)?,
        network: json(show.network)?,
        web_channel: json(show.web_channel)?,
        dvd_country: json(show.dvd_country)?,
        externals: json(show.externals)?,
        image: json(show.image)?,
        links: json(show.links)?,
        extra,
    })
}

/// What the columns cannot hold: keys without a column, and values that theirs would not give back.
fn extra(show: &mut tvmaze_client::Show) -> Result<Map<String, Value>, Error> {
    let mut extra = std::mem::take(&mut show.extra);
    // A column of text holds what is no date, one of an integer what is no moment of the calendar.
    extra.retain(|key, value| match key.as_str() {
        "premiered" | "ended" => false,
        "updated" => value.as_i64().is_none(),
        _ => true,
    });
    if show.genres.iter().any(|genre| genre.is_empty() || genre.contains(',')) {
        extra.insert("genres".into(), Value::from(show.genres.clone()));
    } else if show.genres.is_empty() && show.value_of("genres") == Some(Value::Null) {
        extra.insert("genres".into(), Value::Null);
    }
    if show.rating.as_ref().is_none_or(|rating| !rating.extra.is_empty()) {
        extra.insert("rating".into(), serde_json::to_value(&show.rating)?);
    }
    Ok(extra)
}

/// A date as TVmaze writes it, whether it is one or not.
fn text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the text replaces it")]
fn json<T: serde::Serialize>(value: Option<T>) -> Result<Option<Json>, Error> {
    value.as_ref().map(Json::of).transpose()
}

pub(crate) fn cast_member(show: &Show, member: tvmaze_client::CastMember) -> CastMember {
    let (person, character) = (member.person, member.character);
    let birthday = text(person.value_of("birthday"));
    let deathday = text(person.value_of("deathday"));
    CastMember {
        show_id: show.id,
        show_name: show.name.clone(),
        person_id: person.id.0,
        person_name: person.name,
        person_birthday: birthday,
        person_deathday: deathday,
        person_gender: person.gender,
        person_country_name: person.country.and_then(|country| country.name),
        character_id: character.id.0,
        character_name: character.name,
        image: character.image.and_then(|image| image.original),
        plays_self: member.plays_self,
        voice: member.voice,
    }
}

/// The shows of an index page.
pub(crate) fn page(shows: Vec<tvmaze_client::Show>) -> Result<Vec<Show>, RunError> {
    let convert = |each: tvmaze_client::Show| {
        let id = each.id.0;
        show(each).map_err(|source| RunError::Unstorable { show: id, source })
    };
    shows.into_iter().map(convert).collect()
}

pub(crate) fn tvmaze_id(show: ShowId) -> TvmazeId {
    TvmazeId(show.0)
}

/// When each show last changed, in Unix time.
pub(crate) fn updates(updates: tvmaze_client::Updates<TvmazeId>) -> Updates {
    updates.into_iter().map(|(id, updated)| (ShowId(id.0), updated.as_second())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What the domain's show is serialised to, for a show as TVmaze sends it.
    fn given_back(sent: &Value) -> Value {
        let received: tvmaze_client::Show = serde_json::from_value(sent.clone()).unwrap();
        serde_json::to_value(show(received).unwrap()).unwrap()
    }

    #[test]
    fn every_key_is_given_back_as_it_came() {
        let odd = json!({"premiered": "2013-06-24T10:00", "ended": "", "updated": i64::MAX,
            "genres": null, "rating": {"average": 8, "votes": 12}, "unknown": [1],
            "schedule": {"time": "22:00:00", "days": null}, "image": {"medium": null}});
        let odder = json!({"premiered": "in June", "ended": null, "updated": u64::MAX,
            "genres": ["Drama, mostly"], "rating": null, "schedule": {"time": "", "days": []}});
        let usual = json!({"premiered": "2013-06-24", "ended": "2015-09-10", "updated": 1_573_667_713,
            "genres": ["Drama"], "rating": {"average": 6.5}, "schedule": {"time": "22:00"}});
        for mut sent in [odd, odder, usual] {
            sent["id"] = json!(1);
            sent["name"] = json!("X");
            let ours = given_back(&sent);
            for (key, value) in sent.as_object().unwrap() {
                assert_eq!(&ours[key], value, "{key}");
            }
        }
    }

    #[test]
    fn the_columns_hold_dates_however_they_are_written() {
        let sent = json!({"id": 1, "name": "X", "premiered": "1999-00-00", "ended": "",
            "updated": i64::MAX});
        let show = show(serde_json::from_value(sent).unwrap()).unwrap();
        assert_eq!(show.premiered.as_deref(), Some("1999-00-00"));
        assert_eq!(show.ended.as_deref(), Some(""));
        assert_eq!(show.updated, Some(i64::MAX));
        assert_eq!(show.extra.keys().collect::<Vec<_>>(), ["rating"], "which is absent, not null");
    }
}
