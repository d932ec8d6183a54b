//! Filtered lists, totals, facets and exports, compared with the in-memory reference.

use std::io;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;
use tokio::runtime::Runtime;
use tvshows_core::conformance::Store;
use tvshows_core::conformance::fixtures::{at, begin, deletions, pages, publish_at, running, show};
use tvshows_core::memory::MemoryStore;
use tvshows_core::{
    Catalog, CellValue, Facet, RawJson, RowWriter, RunSession, Show, ShowFilter, ShowId, ShowPage,
    ShowQuery, Table,
};
use tvshows_sqlite::SqliteStore;

const WORDS: [&str; 8] = ["Drama", "drama", "Straße", "STRASSE", "Кухня", "a,b", "100%_", "-"];

fn word() -> impl Strategy<Value = Option<String>> {
    prop::option::of(select(&WORDS[..]).prop_map(str::to_owned))
}

fn channel() -> impl Strategy<Value = Option<RawJson>> {
    let country = prop_oneof![
        Just(json!(null)),
        Just(json!({"name": "Germany", "code": "DE"})),
        Just(json!({"name": "Österreich", "code": "AT"})),
        Just(json!({"code": "XX"})),
    ];
    let channel = (word(), country).prop_map(|(name, country)| {
        RawJson::from_value(&json!({"name": name, "country": country})).unwrap()
    });
    prop::option::of(channel)
}

fn schedule() -> impl Strategy<Value = Option<RawJson>> {
    let days = subsequence(vec!["Monday", "Tuesday", "Sunday"], 0..=3);
    prop::option::of(days.prop_map(|days| RawJson::from_value(&json!({"days": days})).unwrap()))
}

fn shows() -> impl Strategy<Value = Vec<Show>> {
    let genres = subsequence(vec!["Action", "Comedy", "Drama"], 0..=3);
    let texts = (word(), word(), word());
    let rating = prop::option::of((0_u8..=10).prop_map(f64::from));
    let fields = (genres, texts, channel(), channel(), schedule(), rating);
    let make =
        |(genres, (language, status, kind), network, web_channel, schedule, rating_average)| {
            let genres = Vec::<&str>::into_iter(genres).map(str::to_owned).collect();
            let fields = Show { genres, language, status, kind, network, web_channel, ..show(0) };
            Show { schedule, rating_average, ..fields }
        };
    prop::collection::vec(fields.prop_map(make), 0..30).prop_map(|mut shows| {
        for (id, show) in (1..).zip(&mut shows) {
            show.id = ShowId(id);
            show.premiered = Some(format!("20{:02}-06-01", id % 20));
            show.name = format!("{} {id}", WORDS[id as usize % WORDS.len()]);
        }
        shows
    })
}

fn filter() -> impl Strategy<Value = ShowFilter> {
    let value = select(vec![
        "drama",
        "STRASSE",
        "кухня",
        "a,b",
        "100%_",
        "%",
        "-",
        "de",
        "österreich",
        "sunday",
        "COMEDY",
        "x",
    ]);
    let facets = prop::collection::btree_map(select(&Facet::ALL[..]), value, 0..3);
    let range = (prop::option::of(0_u8..11), prop::option::of(0_u8..11));
    let dates = (prop::option::of(2000_u16..2020), prop::option::of(2000_u16..2020));
    let text =
        prop::option::of(select(vec!["dra", "straße", "nothing", "?", "100 3", "a b", "DRAMA 2"]));
    let ids = prop::option::weighted(0.2, prop::collection::vec(0_u32..40, 0..20));
    let conditions = (facets, range, dates, text, ids);
    conditions.prop_map(|(facets, (min, max), (from, to), text, ids)| ShowFilter {
        ids: ids.map(|ids| ids.into_iter().map(ShowId).collect()),
        facets: facets.into_iter().map(|(facet, text)| (facet, text.parse().unwrap())).collect(),
        min_rating: min.map(|rating| rating.to_string().parse().unwrap()),
        max_rating: max.map(|rating| rating.to_string().parse().unwrap()),
        premiered_from: from.map(|year| year.to_string().parse().unwrap()),
        premiered_to: to.map(|year| year.to_string().parse().unwrap()),
        text: text.map(|text| text.parse().unwrap()),
    })
}

/// Collects the ids of the exported rows.
struct Ids(Arc<Mutex<Vec<i64>>>);

impl RowWriter for Ids {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        let CellValue::Integer(id) = cells[0] else { return Err(io::Error::other("no id")) };
        self.0.lock().unwrap().push(id);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

async fn exported(store: &SqliteStore, filter: ShowFilter) -> Vec<i64> {
    let ids = Arc::<Mutex<Vec<i64>>>::default();
    let writer = Ids(Arc::clone(&ids));
    let rows = Box::new(|_| Ok(Box::new(writer) as Box<dyn RowWriter>));
    store.export(Table::AllShows, filter, rows).await.unwrap();
    std::mem::take(&mut *ids.lock().unwrap())
}

fn ids(page: &ShowPage) -> Vec<i64> {
    page.shows.iter().map(|show| i64::from(show.id.0)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_filtered_list_and_its_export_are_those_of_the_reference(
        shows in shows(),
        filters in prop::collection::vec(filter(), 12),
        facets in prop::collection::btree_set(select(&Facet::ALL[..]), 0..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        Runtime::new().unwrap().block_on(async {
            let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
            let reference = MemoryStore::default();
            publish_at(&store, shows.clone(), 2).await;
            publish_at(&reference, shows, 2).await;
            for filter in filters {
                let facets = facets.clone();
                let query = ShowQuery { filter: filter.clone(), facets, limit: 1000, ..ShowQuery::default() };
                let page = store.shows(query.clone()).await.unwrap();
                assert_eq!(page, reference.shows(query).await.unwrap(), "{filter:?}");
                assert_eq!(exported(&store, filter.clone()).await, ids(&page), "{filter:?}");
                assert_eq!(page.total, page.shows.len() as u64);
            }
        });
    }
}

/// Publishes the shows, and starts a run that changes them: some are staged again as others, and some are deleted.
async fn begin_changes(store: &impl Store, shows: &[Show]) -> Box<dyn RunSession> {
    publish_at(store, shows.to_vec(), 2).await;
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.unwrap();
    let staged = shows
        .iter()
        .rev()
        .zip(1..=15)
        .map(|(show, id)| Show { id: ShowId(id * 2), ..show.clone() });
    session.commit(pages(vec![(9, staged.collect())], at(3)), &status).await.unwrap();
    session.commit(deletions(&[3, 4, 5]), &status).await.unwrap();
    session
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_shows_of_the_next_snapshot_that_match_are_those_of_the_reference(
        shows in shows(),
        filters in prop::collection::vec(filter(), 12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        Runtime::new().unwrap().block_on(async {
            let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
            let session = begin_changes(&store, &shows).await;
            let reference = begin_changes(&MemoryStore::default(), &shows).await;
            for filter in filters {
                let matching = session.matching_shows(filter.clone()).await.unwrap();
                let expected = reference.matching_shows(filter.clone()).await.unwrap();
                assert_eq!(matching, expected, "{filter:?}");
            }
        });
    }

    #[test]
    fn statistics_are_those_of_the_reference(
        mut shows in shows(),
        premiered in prop::collection::vec(
            prop::option::of(select(vec!["2001-02-03", "1999-12-31", "0850-01-01", "", "20", "soon"])), 30,
        ),
    ) {
        for (show, premiered) in shows.iter_mut().zip(premiered) {
            show.premiered = premiered.map(str::to_owned);
        }
        let folder = tempfile::tempdir().unwrap();
        Runtime::new().unwrap().block_on(async {
            let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
            let reference = MemoryStore::default();
            publish_at(&store, shows.clone(), 2).await;
            publish_at(&reference, shows, 2).await;
            assert_eq!(store.stats().await.unwrap(), reference.stats().await.unwrap());
        });
    }
}

#[tokio::test]
async fn each_snapshot_has_its_own_counts() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
    let named = |id, language: &str| Show { language: Some(language.into()), ..show(id) };
    let german = || ShowFilter {
        facets: [(Facet::Language, "german".parse().unwrap())].into(),
        ..ShowFilter::default()
    };
    publish_at(&store, vec![named(1, "German"), named(2, "French")], 2).await;
    assert_eq!(exported(&store, german()).await, [1]);
    publish_at(&store, vec![named(1, "French"), named(2, "German"), named(3, "GERMAN")], 3).await;
    assert_eq!(exported(&store, german()).await, [2, 3]);
    let page = store.shows(ShowQuery { filter: german(), ..ShowQuery::default() }).await.unwrap();
    assert_eq!((page.total, page.shows.len()), (2, 0));
}
