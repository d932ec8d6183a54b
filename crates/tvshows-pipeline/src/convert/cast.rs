use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Map;
use tvshows_core::{CastMember, Show, ShowId};

use super::reader::{Reader, mend_extra};
use super::salvage::{self, Salvage};

/// An entry of a cast.
pub(crate) struct TvmazeCastMember {
    /// Without its show.
    member: CastMember,
    /// The paths of the values that do not fit their column.
    pub(crate) malformed: Vec<String>,
}

impl TvmazeCastMember {
    pub(crate) fn of_show(self, show: &Show) -> CastMember {
        CastMember { show_id: show.id, show_name: show.name.clone(), ..self.member }
    }
}

impl<'de> Deserialize<'de> for TvmazeCastMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TvmazeCastMember, D::Error> {
        let mut malformed = Vec::new();
        let received = Map::deserialize(deserializer)?;
        let entry = Reader::new(&received);
        let person = entry.object("person", &mut malformed);
        let character = entry.object("character", &mut malformed);
        let country_name = person.object("country", &mut malformed).text("name", &mut malformed);
        let image = character.object("image", &mut malformed).text("original", &mut malformed);
        let member = CastMember {
            show_id: ShowId::default(),
            show_name: String::new(),
            person_id: person.id().map_err(D::Error::custom)?,
            person_name: person.name(&mut malformed),
            person_birthday: person.text("birthday", &mut malformed),
            person_deathday: person.text("deathday", &mut malformed),
            person_gender: person.text("gender", &mut malformed),
            person_country_name: country_name,
            character_id: character.id().map_err(D::Error::custom)?,
            character_name: character.name(&mut malformed),
            image,
            plays_self: entry.flag("self", &mut malformed),
            voice: entry.flag("voice", &mut malformed),
            extra: Map::new(),
        };
        let mut member = member.with_remainder_of(received);
        mend_extra(&mut member.extra, &mut malformed);
        Ok(TvmazeCastMember { member, malformed })
    }
}

impl Salvage for TvmazeCastMember {
    fn malformed(&mut self) -> &mut Vec<String> {
        &mut self.malformed
    }
}

/// Decodes a cast that `serde_json` has rejected.
pub(crate) fn recover_cast(
    body: &[u8],
    error: serde_json::Error,
) -> Result<Vec<TvmazeCastMember>, serde_json::Error> {
    salvage::list(body, error)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn member(sent: Value) -> Result<TvmazeCastMember, serde_json::Error> {
        serde_json::from_value(sent)
    }

    #[test]
    fn a_member_has_what_tvmaze_sends() {
        let sent = json!({
            "person": {"id": 1, "name": "P", "country": {"name": "Canada", "code": "CA"},
                "birthday": "1979-07-17", "deathday": null, "gender": "Male", "image": null},
            "character": {"id": 2, "name": "C", "image": {"medium": "m", "original": "o"}},
            "self": false, "voice": true,
        });
        let received = member(sent.clone()).unwrap();
        assert!(received.malformed.is_empty(), "{:?}", received.malformed);
        let show = Show { id: ShowId(7), name: "S".into(), ..Show::default() };
        let expected = CastMember {
            show_id: ShowId(7),
            show_name: "S".into(),
            person_id: 1,
            person_name: "P".into(),
            person_birthday: Some("1979-07-17".into()),
            person_deathday: None,
            person_gender: Some("Male".into()),
            person_country_name: Some("Canada".into()),
            character_id: 2,
            character_name: "C".into(),
            image: Some("o".into()),
            plays_self: Some(false),
            voice: Some(true),
            extra: serde_json::from_value(json!({
                "person": {"country": {"code": "CA"}, "deathday": null, "image": null},
                "character": {"image": {"medium": "m"}},
            }))
            .unwrap(),
        };
        let received = received.of_show(&show);
        assert_eq!(received, expected);
        assert_eq!(Value::from(received.to_object()), sent);
    }

    #[test]
    fn only_the_ids_must_be_right() {
        let sent = json!({
            "person": {"id": 1, "name": 5, "country": [], "birthday": 1979, "gender": {}},
            "character": {"id": 2, "name": null, "image": {"original": 1}}, "self": "no", "voice": 1,
        });
        let TvmazeCastMember { member: received, mut malformed } = member(sent.clone()).unwrap();
        assert_eq!(Value::from(received.to_object()), sent);
        assert_eq!((received.person_id, received.character_id), (1, 2));
        assert_eq!((received.person_name.as_str(), received.character_name.as_str()), ("", ""));
        assert_eq!((received.person_birthday, received.plays_self), (None, None));
        malformed.sort_unstable();
        let expected = [
            "character.image.original",
            "character.name",
            "person.birthday",
            "person.country",
            "person.gender",
            "person.name",
            "self",
            "voice",
        ];
        assert_eq!(malformed, expected);
        for wrong in [json!(null), json!("1"), json!(1.5), json!(-1), json!(u64::MAX), json!([])] {
            let person = member(json!({"person": {"id": wrong}, "character": {"id": 2}}));
            assert_eq!(person.err().unwrap().to_string(), "`person.id` is missing or invalid");
            let character = member(json!({"person": {"id": 2}, "character": {"id": wrong}}));
            assert_eq!(
                character.err().unwrap().to_string(),
                "`character.id` is missing or invalid"
            );
        }
        assert!(member(json!({"person": [], "character": {"id": 2}})).is_err());
    }

    #[test]
    fn a_cast_with_lone_surrogates_is_recovered() {
        let body =
            br#"[{"person": {"id": 1, "name": "a \ud83d"}, "character": {"id": 2, "name": "C"}}]"#;
        let error = serde_json::from_slice::<Vec<TvmazeCastMember>>(body).err().unwrap();
        let cast = recover_cast(body, error).unwrap();
        assert_eq!(cast[0].member.person_name, "a \u{fffd}");
        assert_eq!(cast[0].malformed, ["person.name (lone surrogates replaced with U+FFFD)"]);
    }
}
