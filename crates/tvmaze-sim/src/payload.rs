//! TVmaze's response bodies in their current form, with the keys in TVmaze's order.

use jiff::civil::Date;
use serde::{Serialize, Serializer};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Show {
    pub(crate) id: u32,
    pub(crate) url: String,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) language: Option<&'static str>,
    pub(crate) genres: Vec<&'static str>,
    pub(crate) status: &'static str,
    pub(crate) runtime: Option<u32>,
    pub(crate) average_runtime: Option<u32>,
    pub(crate) premiered: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) official_site: Option<String>,
    pub(crate) schedule: Schedule,
    pub(crate) rating: Rating,
    pub(crate) weight: u8,
    pub(crate) network: Option<&'static Channel>,
    pub(crate) web_channel: Option<&'static Channel>,
    pub(crate) dvd_country: Option<&'static Country>,
    pub(crate) externals: Externals,
    pub(crate) image: Option<Image>,
    pub(crate) summary: Option<String>,
    pub(crate) updated: u64,
    #[serde(rename = "_links")]
    pub(crate) links: ShowLinks,
}

#[derive(Serialize)]
pub(crate) struct Schedule {
    pub(crate) time: &'static str,
    pub(crate) days: Vec<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct Rating {
    pub(crate) average: Option<Score>,
}

/// TVmaze writes whole ratings without a decimal point.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Score {
    Whole(u8),
    Tenths(f64),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Channel {
    pub(crate) id: u32,
    pub(crate) name: &'static str,
    pub(crate) country: Option<Country>,
    pub(crate) official_site: Option<&'static str>,
}

#[derive(Clone, Copy, Serialize)]
pub(crate) struct Country {
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) timezone: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Externals {
    pub(crate) tvrage: Option<u32>,
    pub(crate) thetvdb: Option<u32>,
    pub(crate) imdb: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Image {
    pub(crate) medium: String,
    pub(crate) original: String,
}

#[derive(Serialize)]
pub(crate) struct ShowLinks {
    #[serde(rename = "self")]
    pub(crate) this: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previousepisode: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nextepisode: Option<Link>,
}

#[derive(Serialize)]
pub(crate) struct Link {
    pub(crate) href: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Episode {
    pub(crate) id: u32,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) season: u32,
    /// `None` for a special.
    pub(crate) number: Option<u32>,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(serialize_with = "date_or_empty")]
    pub(crate) airdate: Option<Date>,
    pub(crate) airtime: &'static str,
    pub(crate) airstamp: Option<String>,
    pub(crate) runtime: Option<u32>,
    pub(crate) rating: Rating,
    pub(crate) image: Option<Image>,
    pub(crate) summary: Option<String>,
    #[serde(rename = "_links")]
    pub(crate) links: EpisodeLinks,
}

/// TVmaze writes an unknown date as an empty text.
#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference to the field"
)]
fn date_or_empty<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => date.serialize(serializer),
        None => "".serialize(serializer),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Season {
    pub(crate) id: u32,
    pub(crate) url: String,
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) episode_order: usize,
    pub(crate) premiere_date: Option<Date>,
    pub(crate) end_date: Option<Date>,
    pub(crate) network: Option<&'static Channel>,
    pub(crate) web_channel: Option<&'static Channel>,
    pub(crate) image: Option<Image>,
    pub(crate) summary: Option<String>,
    #[serde(rename = "_links")]
    pub(crate) links: SelfLink,
}

#[derive(Serialize)]
pub(crate) struct EpisodeLinks {
    #[serde(rename = "self")]
    pub(crate) this: Link,
    pub(crate) show: Link,
}

#[derive(Serialize)]
pub(crate) struct CastMember {
    pub(crate) person: Person,
    pub(crate) character: Character,
    #[serde(rename = "self")]
    pub(crate) as_self: bool,
    pub(crate) voice: bool,
}

#[derive(Serialize)]
pub(crate) struct Person {
    pub(crate) id: u32,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) country: Option<Country>,
    pub(crate) birthday: Option<String>,
    pub(crate) deathday: Option<String>,
    pub(crate) gender: Option<&'static str>,
    pub(crate) image: Option<Image>,
    pub(crate) updated: u64,
    #[serde(rename = "_links")]
    pub(crate) links: SelfLink,
}

#[derive(Serialize)]
pub(crate) struct Character {
    pub(crate) id: u32,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) image: Option<Image>,
    #[serde(rename = "_links")]
    pub(crate) links: SelfLink,
}

#[derive(Serialize)]
pub(crate) struct SelfLink {
    #[serde(rename = "self")]
    pub(crate) this: Link,
}

impl Link {
    /// A link to a path of TVmaze's API, such as `shows/1`.
    pub(crate) fn to(path: &str) -> Self {
        Self { href: format!("https://api.tvmaze.com/{path}"), name: None }
    }

    /// The id of the episode that it leads to.
    pub(crate) fn episode_id(&self) -> Option<u32> {
        self.href.rsplit('/').next()?.parse().ok()
    }
}

impl Image {
    pub(crate) fn portrait(id: u32) -> Self {
        Self::with_format("portrait", id)
    }

    pub(crate) fn landscape(id: u32) -> Self {
        Self::with_format("landscape", id)
    }

    fn with_format(format: &str, id: u32) -> Self {
        let folder = id / 2_500;
        let url = |size: &str| {
            format!("https://static.tvmaze.com/uploads/images/{size}/{folder}/{id}.jpg")
        };
        Self { medium: url(&format!("medium_{format}")), original: url("original_untouched") }
    }
}
