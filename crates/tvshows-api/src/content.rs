//! The data that clients can request of the published snapshot.

use std::collections::BTreeMap;

use actix_web::web::{Bytes, Query};
use jiff::civil::Date;
use serde::Serialize;
use tvshows_core::{Catalog, Facet, ScheduleQuery, ShowId, ShowPage, SparseShow, StoreError};

use crate::calendar::calendar;
use crate::extract::filter_query;
use crate::extract::shows_query::{ListRequest, ShowsQuery};
use crate::problem::Problem;
use crate::routes::tvmaze::content::TvmazeContent;
use crate::schemas::{FacetCount, UnmatchedFilter};

/// The default limit of `/shows/top_shows`.
pub(crate) const DEFAULT_TOP: u32 = 10;
/// The limit with which the dashboard requests them.
const DASHBOARD_TOP: u32 = 1000;

/// The queries of `GET /shows` that clients send first: that of the dashboard, the default one, and every other order.
const FIRST_LISTS: [&str; 14] = [
    "sort=-weight&limit=40&fields=id,name,type,language,genres,status,premiered,ended,rating,weight,network,webChannel,\
     image&facets=genre,language,status,type,network,country,day",
    "",
    "q=a",
    "sort=-weight",
    "sort=-rating",
    "sort=name",
    "sort=-updated",
    "sort=-premiered",
    "sort=-name",
    "sort=weight",
    "sort=rating",
    "sort=updated",
    "sort=premiered",
    "sort=-id",
];

/// What a client requests.
#[derive(Debug)]
pub(crate) enum Content {
    List(Box<ListRequest>),
    Show(ShowId),
    Cast(ShowId),
    Episodes(ShowId),
    Schedule(Box<ScheduleQuery>),
    Calendar(Box<ScheduleQuery>),
    TopShows { limit: u32 },
    MultiCharacterActors,
    Stats,
    Tvmaze(TvmazeContent),
}

impl Content {
    /// What clients request first after an update.
    pub(crate) fn requested_first() -> impl Iterator<Item = Content> {
        let lists = FIRST_LISTS.into_iter().filter_map(|query| {
            let query = Query::<ShowsQuery>::from_query(query).ok()?;
            Some(Content::List(Box::new(query.parse().ok()?)))
        });
        let others = [
            Content::TopShows { limit: DEFAULT_TOP },
            Content::TopShows { limit: DASHBOARD_TOP },
            Content::MultiCharacterActors,
            Content::Stats,
        ];
        others.into_iter().chain(lists)
    }

    /// The same text for each way to request this, and nothing else.
    pub(crate) fn cache_key(&self) -> String {
        match self {
            Content::List(list) => format!("list {}", list.cache_key()),
            Content::Show(id) => format!("show {id}"),
            Content::Cast(id) => format!("cast {id}"),
            Content::Episodes(id) => format!("episodes {id}"),
            Content::Schedule(query) => format!("schedule {}", schedule_key(query)),
            Content::Calendar(query) => format!("calendar {}", schedule_key(query)),
            Content::TopShows { limit } => format!("top {limit}"),
            Content::MultiCharacterActors => "actors".to_owned(),
            Content::Stats => "stats".to_owned(),
            Content::Tvmaze(content) => format!("tvmaze {content:?}"),
        }
    }

    /// The first day of what depends on the day of the request.
    pub(crate) fn first_day(&self) -> Option<Date> {
        match self {
            Content::Schedule(query) | Content::Calendar(query) => Some(query.first),
            Content::Tvmaze(content) => content.first_day(),
            _ => None,
        }
    }

    /// Whether the response can be 404, whatever the tag of the snapshot.
    pub(crate) fn may_be_missing(&self) -> bool {
        match self {
            Content::Show(_) | Content::Cast(_) | Content::Episodes(_) => true,
            Content::Tvmaze(content) => content.may_be_missing(),
            Content::List(_)
            | Content::Schedule(_)
            | Content::Calendar(_)
            | Content::TopShows { .. }
            | Content::MultiCharacterActors
            | Content::Stats => false,
        }
    }

    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Content::Calendar(_) => "text/calendar; charset=utf-8",
            _ => "application/json",
        }
    }

    /// The body of the response.
    pub(crate) async fn render(self, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
        match self {
            Content::List(list) => render_list(*list, catalog).await,
            Content::Show(id) => {
                json(&catalog.show(id.into()).await?.ok_or(Problem::ShowNotFound(id))?)
            }
            Content::Cast(id) => json(&catalog.cast(id).await?.ok_or(Problem::CastNotFound(id))?),
            Content::Episodes(id) => {
                json(&catalog.episodes(id).await?.ok_or(Problem::EpisodesNotFound(id))?)
            }
            Content::Schedule(query) => json(&catalog.schedule(*query).await?),
            Content::Calendar(query) => render_calendar(*query, catalog).await,
            Content::TopShows { limit } => json(&catalog.top_shows(limit).await?),
            Content::MultiCharacterActors => json(&catalog.multi_character_actors().await?),
            Content::Stats => json(&catalog.stats().await?),
            Content::Tvmaze(content) => content.render(catalog).await,
        }
    }
}

/// A page of shows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ShowList<T> {
    /// Each show as in `/shows/{id}`, or only the fields listed in `fields`.
    #[schema(value_type = Vec<serde_json::Value>)]
    shows: Vec<T>,
    /// The number of matching shows on all pages.
    total: u64,
    /// For each facet listed in `facets`, its values with the number of shows that have them and match the filters of
    /// other parameters, most shows first, then by name. `null` counts the shows without a value. At most 200 values
    /// of each.
    #[schema(value_type = BTreeMap<String, Vec<FacetCount>>)]
    facets: BTreeMap<Facet, Vec<tvshows_core::FacetCount<String>>>,
    /// The filters with values that no show has. Omitted if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<UnmatchedFilter>, required = false)]
    unmatched: Vec<tvshows_core::UnmatchedFilter>,
    /// The cursor of the next page; `null` on the last page.
    next_cursor: Option<String>,
}

async fn render_list(list: ListRequest, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
    let page = catalog.shows(list.query.clone()).await?;
    let ShowPage { shows, next, total, facets, unmatched } = page;
    let next_cursor = next.map(|position| list.cursor(&position));
    let Some(fields) = &list.fields else {
        return json(&ShowList { shows, total, facets, unmatched, next_cursor });
    };
    let shows = shows.iter().map(|show| SparseShow { show, fields }).collect();
    json(&ShowList { shows, total, facets, unmatched, next_cursor })
}

fn schedule_key(query: &ScheduleQuery) -> String {
    format!("{} {} {}", query.first, query.last, filter_query::scope(&query.filter))
}

async fn render_calendar(query: ScheduleQuery, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
    let name = match filter_query::description(&query.filter) {
        filters if filters.is_empty() => "TV schedule".to_owned(),
        filters => format!("TV schedule: {filters}"),
    };
    let published_at = catalog.snapshot_version().await?.published_at.unwrap_or_default();
    let calendar = calendar(&catalog.schedule(query).await?, &name, published_at);
    Ok(calendar.into_boxed_str().into_boxed_bytes().into())
}

pub(crate) fn json(data: &impl Serialize) -> Result<Bytes, Problem> {
    let json = serde_json::to_vec(data).map_err(unserializable)?;
    // Without spare capacity, which would be cached as well.
    Ok(json.into_boxed_slice().into())
}

#[expect(clippy::needless_pass_by_value, reason = "the argument of `map_err`")]
pub(crate) fn unserializable(error: serde_json::Error) -> Problem {
    StoreError::CorruptRow { what: error.to_string() }.into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use tvshows_core::conformance::fixtures::{
        at, begin, details_of, episode, pages, publish, running, show, success,
    };
    use tvshows_core::memory::MemoryStore;
    use tvshows_core::{KeysetCursor, SortValue};

    use super::*;

    fn list(query: &str) -> ListRequest {
        let query = Query::<ShowsQuery>::from_query(query).unwrap();
        query.parse().unwrap_or_else(|problem| panic!("{query:?}: {problem}"))
    }

    fn key(query: &str) -> String {
        Content::List(Box::new(list(query))).cache_key()
    }

    /// The value of a constant of a script.
    fn constant<'a>(script: &'a str, name: &str) -> &'a str {
        let (_, value) = script.split_once(&format!("const {name} = ")).unwrap();
        value.split_once(';').unwrap().0.trim_matches('"')
    }

    #[test]
    fn what_the_dashboard_requests_and_each_order_come_first() {
        let first: BTreeSet<_> =
            Content::requested_first().map(|content| content.cache_key()).collect();
        assert_eq!(first.len(), FIRST_LISTS.len() + 4, "all are valid, and none is there twice");
        for field in ["id", "name", "rating", "premiered", "updated", "weight"] {
            assert!(first.contains(&key(&format!("sort={field}"))), "{field}");
            assert!(first.contains(&key(&format!("sort=-{field}"))), "-{field}");
        }
        let script = include_str!("../dashboard/show_list.js");
        let [limit, fields] = ["PAGE_SIZE", "FIELDS"].map(|name| constant(script, name));
        let orders = constant(include_str!("../dashboard/shows_view.js"), "SORT_OPTIONS");
        let sort = orders.split('"').nth(1).unwrap();
        let facets = Facet::ALL.map(|facet| facet.to_string()).join(",");
        let list = format!("sort={sort}&limit={limit}&fields={fields}&facets={facets}");
        assert!(first.contains(&key(&list)), "{list}");
        let top = constant(include_str!("../dashboard/top_shows.js"), "MAX_TOP_SHOWS");
        assert_eq!(top, DASHBOARD_TOP.to_string());
    }

    #[test]
    fn defaults_and_spellings_make_no_difference() {
        for (one, other) in [
            ("", "limit=50&sort=id&q=+&genre=&cursor=&fields=&facets="),
            ("q=x", "sort=relevance&q=%78"),
            ("fields=id,name", "fields=name,+id,id"),
            ("facets=day,genre", "facets=genre%2Cday,genre"),
            ("min_rating=7&limit=7", "limit=007&min_rating=7.0"),
            ("max_rating=0", "max_rating=-0"),
            ("id=82,169", "id=169,82,82"),
        ] {
            assert_eq!(key(one), key(other), "{one} and {other}");
        }
        let position = KeysetCursor { value: SortValue::Text("B".into()), id: ShowId(3) };
        let cursor = list("min_rating=7&sort=name").cursor(&position);
        assert_eq!(cursor, list("sort=name&min_rating=07.0").cursor(&position));
        let page = format!("min_rating=7&sort=name&cursor={cursor}");
        assert_eq!(key(&page), key(&format!("cursor={cursor}&sort=name&min_rating=7.00")));
        assert_ne!(key(&page), key("min_rating=7&sort=name"));
    }

    /// The shows 1 to 3, of which the first has an episode, the second has none, and the third has no details.
    async fn detailed() -> MemoryStore {
        let store = MemoryStore::default();
        let status = running();
        let session = begin(&store, &status).await;
        let shows = pages(vec![(0, vec![show(1), show(2), show(3)])], at(2));
        let episodes = Some(vec![episode(1, 1, "2026-11-24")]);
        for batch in [
            shows,
            details_of(&show(1), vec![], episodes, at(3)),
            details_of(&show(2), vec![], Some(vec![]), at(3)),
        ] {
            session.commit(batch, &status).await.unwrap();
        }
        let chosen = [ShowId(1), ShowId(2)];
        session.publish(&[], &chosen, at(4), success(&status)).await.unwrap();
        store
    }

    fn schedule(filter: &str, first: Date, last: Date) -> Box<ScheduleQuery> {
        Box::new(ScheduleQuery { filter: list(filter).query.filter, first, last })
    }

    #[tokio::test]
    async fn stored_details_can_be_empty_and_others_are_missing() {
        let store = detailed().await;
        for (id, episodes) in [(1, 1), (2, 0)] {
            let body = Content::Episodes(ShowId(id)).render(&store).await.unwrap();
            let body: Vec<Value> = serde_json::from_slice(&body).unwrap();
            assert_eq!(body.len(), episodes);
            assert_eq!(Content::Cast(ShowId(id)).render(&store).await.unwrap(), "[]");
        }
        let episodes = Content::Episodes(ShowId(3)).render(&store).await.unwrap_err();
        let cast = Content::Cast(ShowId(3)).render(&store).await.unwrap_err();
        assert_eq!([episodes.code(), cast.code()], ["episodes_not_found", "cast_not_found"]);
        for problem in [episodes, cast] {
            let text = problem.to_string();
            assert!(text.contains("`DETAILS="), "{text}");
            let is_cast = problem.code() == "cast_not_found";
            assert_eq!(
                text.contains("those of the top shows are always stored"),
                is_cast,
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_schedule_has_shows_and_a_calendar_has_events() {
        let store = detailed().await;
        let [first, last] = [date(2026, 11, 24), date(2026, 11, 30)];
        let body = Content::Schedule(schedule("id=1,2", first, last)).render(&store).await;
        let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
        let mut expected = serde_json::to_value(episode(1, 1, "2026-11-24")).unwrap();
        expected["show"] = serde_json::to_value(show(1)).unwrap();
        assert_eq!(body, json!([expected]));
        let other = Content::Schedule(schedule("id=2", first, last)).render(&store).await;
        assert_eq!(other.unwrap(), "[]");
        let calendar = Content::Calendar(schedule("id=1", first, last)).render(&store).await;
        let calendar = String::from_utf8(calendar.unwrap().to_vec()).unwrap();
        assert!(calendar.contains("X-WR-CALNAME:TV schedule: id=1\r\n"), "{calendar}");
        assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 1);
        let empty = Content::Calendar(schedule("id=2", first, last)).render(&store).await;
        let empty = String::from_utf8(empty.unwrap().to_vec()).unwrap();
        let (header, _) = calendar.split_once("BEGIN:VEVENT").unwrap();
        let header = header.replace("id=1", "id=2");
        assert_eq!(empty, format!("{header}END:VCALENDAR\r\n"), "without an event");
    }

    #[test]
    fn schedules_differ_in_their_days_filters_and_forms() {
        let [first, last] = [date(2026, 11, 24), date(2026, 11, 30)];
        let keys = [
            Content::Schedule(schedule("", first, last)),
            Content::Schedule(schedule("", first, first)),
            Content::Schedule(schedule("", last, last)),
            Content::Schedule(schedule("id=1", first, last)),
            Content::Calendar(schedule("", first, last)),
        ]
        .map(|content| content.cache_key());
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "{keys:?}");
    }

    /// Parameters, and values that mean different lists.
    fn parameters() -> impl Strategy<Value = Vec<(&'static str, String)>> {
        let text = || {
            prop_oneof!["[a-z \"\\\\,&=%+-]{1,6}", Just("Drama".to_owned()), Just("-".to_owned())]
        };
        let words = |words: Vec<&'static str>| prop::sample::select(words).prop_map(str::to_owned);
        let list = |names: Vec<&'static str>| {
            let count = names.len();
            prop::sample::subsequence(names, 1..count).prop_map(|names| names.join(","))
        };
        let sort = words(vec!["id", "name", "-name", "rating", "-weight", "updated"]);
        let fields = list(vec!["id", "name", "type", "genres", "rating", "summary"]);
        let facets = list(vec!["genre", "language", "status", "type", "day"]);
        let named = |name: &'static str, value: BoxedStrategy<String>| {
            prop::option::of(value.prop_map(move |value| (name, value)))
        };
        (
            named("q", text().boxed()),
            named("genre", text().boxed()),
            named("language", text().boxed()),
            named("network", text().boxed()),
            named("premiered_from", words(vec!["2019", "2019-05-01", "2020"]).boxed()),
            named("premiered_to", words(vec!["2019", "2019-05-01", "2020"]).boxed()),
            named("min_rating", words(vec!["1", "7.5", "10"]).boxed()),
            named("sort", sort.boxed()),
            named("limit", words(vec!["1", "2", "50", "1000"]).boxed()),
            named("fields", fields.boxed()),
            named("facets", facets.boxed()),
        )
            .prop_map(
                |(q, genre, language, network, from, to, rating, sort, limit, fields, facets)| {
                    let all = [
                        q, genre, language, network, from, to, rating, sort, limit, fields, facets,
                    ];
                    all.into_iter().flatten().collect()
                },
            )
    }

    fn written(parameters: &[(&str, String)], is_encoded: bool) -> String {
        let encoded = |text: &str| {
            text.bytes().fold(String::new(), |encoded, byte| format!("{encoded}%{byte:02x}"))
        };
        let pairs = parameters.iter().map(|(name, value)| {
            let value = encoded(value);
            if is_encoded {
                format!("{}={value}", encoded(name))
            } else {
                format!("{name}={}", value.replace("%20", "+"))
            }
        });
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Parameters, and the same ones in another order.
    fn permuted() -> impl Strategy<Value = [Vec<(&'static str, String)>; 2]> {
        let shuffled =
            |parameters: Vec<_>| (Just(parameters.clone()), Just(parameters).prop_shuffle());
        parameters().prop_flat_map(shuffled).prop_map(|(one, mut other)| {
            for (name, value) in &mut other {
                if matches!(*name, "fields" | "facets") {
                    *value = value.rsplit(',').collect::<Vec<_>>().join(", ");
                }
            }
            [one, other]
        })
    }

    /// The body of a list of nine shows.
    fn body(query: &str) -> Bytes {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = MemoryStore::default();
            publish(&store, (1..10).map(show).collect(), &[]).await;
            Content::List(Box::new(list(query))).render(&store).await.unwrap()
        })
    }

    proptest! {
        #[test]
        fn permuted_queries_have_one_key_and_one_body([one, other] in permuted()) {
            let (one, other) = (written(&one, false), written(&other, true));
            prop_assert_eq!(key(&one), key(&other));
            prop_assert_eq!(body(&one), body(&other));
        }

        #[test]
        fn different_queries_have_different_keys(one in parameters(), other in parameters()) {
            let [one, other] = [one, other].map(|query| list(&written(&query, false)));
            let is_same = one.query == other.query && one.fields == other.fields;
            prop_assert_eq!(one.cache_key() == other.cache_key(), is_same);
        }

        #[test]
        fn a_query_that_differs_in_one_parameter_has_another_key(
            parameters in parameters(), index: prop::sample::Index,
        ) {
            prop_assume!(!parameters.is_empty());
            let mut fewer = parameters.clone();
            fewer.remove(index.index(parameters.len()));
            let [one, other] = [parameters, fewer].map(|query| list(&written(&query, false)));
            let is_same = one.query == other.query && one.fields == other.fields;
            prop_assert_eq!(one.cache_key() == other.cache_key(), is_same);
        }
    }
}
