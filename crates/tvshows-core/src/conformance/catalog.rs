//! The promises of every [`Catalog`](crate::Catalog) about lists, searches, casts and counts.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use super::Store;
use super::fixtures::{
    at, begin, cast_member, cast_of, deletions, pages, publish, publish_at, running, show, shows,
    success,
};
use crate::ExternalDatabase::{Imdb, Thetvdb, Tvrage};
use crate::{
    ChangeCounts, ExternalId, Facet, FacetCount, KeysetCursor, RawJson, Show, ShowFilter, ShowId,
    ShowPage, ShowQuery, SnapshotVersion, Sort,
};

fn query(filter: ShowFilter, sort: &str) -> ShowQuery {
    let sort = sort.parse().expect("an order");
    ShowQuery { filter, sort, limit: 1000, ..ShowQuery::default() }
}

fn facets<const N: usize>(filters: [(Facet, &str); N]) -> ShowFilter {
    let filters = filters.map(|(facet, text)| (facet, text.parse().expect("any text")));
    ShowFilter { facets: filters.into(), ..ShowFilter::default() }
}

fn json(value: &serde_json::Value) -> Option<RawJson> {
    RawJson::from_value(value).ok()
}

fn ids(page: &ShowPage) -> Vec<u32> {
    page.shows.iter().map(|show| show.id.0).collect()
}

async fn found(store: &impl Store, filter: ShowFilter) -> Vec<u32> {
    ids(&store.shows(query(filter, "id")).await.expect("shows"))
}

async fn searched(store: &impl Store, text: &str) -> Vec<u32> {
    let filter = ShowFilter { text: text.parse().ok(), ..ShowFilter::default() };
    ids(&store.shows(query(filter, "relevance")).await.expect("shows"))
}

/// Shows, some without the values that lists are sorted by, and some with equal ones.
fn assorted() -> Vec<Show> {
    let names = ["beta", "Alpha", "alpha", "Beta", "Émile", "gamma"];
    let ratings = [Some(8.0), None, Some(8.1), Some(8.0), None, Some(0.3)];
    let make = |(id, (name, rating)): (u32, (&str, Option<f64>))| {
        let mut show = show(id);
        (show.name, show.rating_average) = (name.into(), rating);
        show.premiered = (id != 3).then(|| format!("20{:02}-01-01", 30 - id / 2));
        show.weight = (id % 2 == 0).then_some(i64::from(id) / 4);
        show.updated = Some(100 - i64::from(id));
        show
    };
    (1..).zip(names.into_iter().zip(ratings)).map(make).collect()
}

const ORDERS: [&str; 12] = [
    "id",
    "-id",
    "name",
    "-name",
    "rating",
    "-rating",
    "premiered",
    "-premiered",
    "updated",
    "-updated",
    "weight",
    "-weight",
];

pub async fn each_publish_is_another_snapshot(store: &impl Store) {
    assert_eq!(store.snapshot_version().await.expect("snapshot"), SnapshotVersion::default());
    publish_at(store, vec![show(1)], 3).await;
    let first = store.snapshot_version().await.expect("snapshot");
    assert_eq!(first, SnapshotVersion { number: 1, published_at: Some(at(3)) });
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(2)])], at(4)), &status).await.expect("stage");
    assert_eq!(
        store.snapshot_version().await.expect("snapshot"),
        first,
        "nothing is published yet"
    );
    session.publish(&[], &[], at(5), success(&status)).await.expect("publish");
    let second = SnapshotVersion { number: 2, published_at: Some(at(5)) };
    assert_eq!(store.snapshot_version().await.expect("snapshot"), second);
}

pub async fn an_unchanged_publish_keeps_the_snapshot(store: &impl Store) {
    publish(store, vec![show(1), show(2)], &[2]).await;
    let first = store.snapshot_version().await.expect("snapshot");

    // A full run that fetches the same shows and casts again.
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(20)), &status).await.expect("stage");
    let cast = cast_of(&show(2), vec![cast_member(2, 1, 20)], at(21));
    session.commit(cast, &status).await.expect("cast");
    let done = session.publish(&[ShowId(2)], &[], at(22), success(&status)).await.expect("publish");
    assert_eq!(done.changes, ChangeCounts { unchanged: 2, ..ChangeCounts::default() });
    assert_eq!(store.snapshot_version().await.expect("snapshot"), first);
    let cast = store.cast(ShowId(2)).await.expect("cast").expect("stored");
    assert_eq!(cast[0].processed_at, at(3), "the row was not written again");

    // An incremental run that fetches one of them individually.
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    session.commit(shows(vec![show(1)], at(30)), &status).await.expect("stage");
    session.publish(&[ShowId(2)], &[], at(31), success(&status)).await.expect("publish");
    assert_eq!(store.snapshot_version().await.expect("snapshot"), first);
    let manifest = store.manifest().await.expect("manifest");
    let fetched: Vec<_> = manifest.shows.values().map(|version| version.fetched_at()).collect();
    assert_eq!(fetched, [at(30), at(20)], "planning knows when they were fetched");
    let changes = store.last_changes().await.expect("changes").into_iter();
    let updated = [1, 2].map(|id| (ShowId(id), show(id).updated.expect("a time")));
    assert_eq!(changes.collect::<Vec<_>>(), updated);
    assert_eq!(manifest.pages.into_values().collect::<Vec<_>>(), [at(20)]);

    // Another order of the top shows, another cast, and a deleted show are changes.
    let changes = [
        (vec![ShowId(2), ShowId(1)], 1, [].as_slice()),
        (vec![ShowId(1), ShowId(2)], 1, &[]),
        (vec![ShowId(1), ShowId(2)], 2, &[]),
        (vec![ShowId(1), ShowId(2)], 0, &[]),
        (vec![ShowId(1)], 0, &[2]),
    ];
    for (number, (top, members, deleted)) in (first.number + 1..).zip(changes) {
        let status = running();
        let session = begin(store, &status).await;
        session.start_incremental().await.expect("start");
        let members = (0..members).map(|k| cast_member(1, k, 10 + k)).collect();
        session.commit(cast_of(&show(1), members, at(40)), &status).await.expect("cast");
        session.commit(deletions(deleted), &status).await.expect("delete");
        session.publish(&top, &[], at(41), success(&status)).await.expect("publish");
        let version = store.snapshot_version().await.expect("snapshot");
        assert_eq!(version, SnapshotVersion { number, published_at: Some(at(41)) });
    }
}

pub async fn lists_are_sorted_with_unknown_values_last(store: &impl Store) {
    publish_at(store, assorted(), 2).await;
    let expected: [&[u32]; 12] = [
        &[1, 2, 3, 4, 5, 6],
        &[6, 5, 4, 3, 2, 1],
        &[2, 3, 1, 4, 6, 5],
        &[5, 6, 1, 4, 2, 3],
        &[6, 1, 4, 3, 2, 5],
        &[3, 1, 4, 6, 2, 5],
        &[6, 4, 5, 2, 1, 3],
        &[1, 2, 4, 5, 6, 3],
        &[6, 5, 4, 3, 2, 1],
        &[1, 2, 3, 4, 5, 6],
        &[2, 4, 6, 1, 3, 5],
        &[4, 6, 2, 1, 3, 5],
    ];
    for (order, expected) in ORDERS.iter().zip(expected) {
        let page = store.shows(query(ShowFilter::default(), order)).await.expect("shows");
        assert_eq!(ids(&page), expected, "{order}");
        assert_eq!(page.next, None);
    }
    let page = store.shows(query(ShowFilter::default(), "id")).await.expect("shows");
    assert_eq!(page.shows, assorted(), "whole shows");
}

pub async fn pages_of_any_size_make_up_the_whole_list(store: &impl Store) {
    publish_at(store, assorted(), 2).await;
    for order in ORDERS {
        let whole = store.shows(query(ShowFilter::default(), order)).await.expect("shows");
        for limit in 1..=7 {
            let (mut listed, mut after) = (Vec::new(), None);
            loop {
                let asked = ShowQuery { after, limit, ..query(ShowFilter::default(), order) };
                let page = store.shows(asked).await.expect("shows");
                listed.extend(ids(&page));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(listed, ids(&whole), "{order}, {limit} at a time");
        }
    }
}

pub async fn a_list_read_on_after_a_publish_has_each_unchanged_show_once(store: &impl Store) {
    for order in ORDERS {
        publish_at(store, assorted(), 2).await;
        let whole = store.shows(query(ShowFilter::default(), order)).await.expect("shows");
        for read in 1..6 {
            publish_at(store, assorted(), 2).await;
            let asked = ShowQuery { limit: read, ..query(ShowFilter::default(), order) };
            let first = store.shows(asked.clone()).await.expect("shows");
            // The last show of the page is deleted, another moves to the front, and others are added.
            let last = first.shows.last().expect("a show").id;
            let mut next = assorted();
            next.retain(|show| show.id != last);
            let moved = next.remove(0);
            next.extend((7..10).map(show));
            publish_at(store, next, 3).await;
            let asked = ShowQuery { after: first.next.clone(), limit: 1000, ..asked };
            let second = store.shows(asked).await.expect("shows");
            let mut seen = [ids(&first), ids(&second)].concat();
            seen.retain(|id| *id <= 6 && *id != moved.id.0);
            let mut expected = ids(&whole);
            expected.retain(|id| *id != moved.id.0);
            assert_eq!(seen, expected, "{order}, after {read}");
        }
    }
}

pub async fn filters_hold_together_and_ignore_case(store: &impl Store) {
    publish_at(store, varied(), 2).await;
    let none = ShowFilter::default;
    let cases: [(ShowFilter, &[u32]); 36] = [
        (none(), &[1, 2, 3, 4, 5, 6]),
        (facets([(Facet::Genre, "Drama")]), &[1, 4, 5, 6]),
        (facets([(Facet::Genre, "dRAMA")]), &[1, 4, 5, 6]),
        (facets([(Facet::Genre, "Drama,Action")]), &[]),
        (facets([(Facet::Genre, "-")]), &[3]),
        (facets([(Facet::Language, "French")]), &[1]),
        (facets([(Facet::Language, "Fr%")]), &[]),
        (facets([(Facet::Language, "-")]), &[2]),
        (facets([(Facet::Status, "running")]), &[3]),
        (facets([(Facet::Type, "Reality")]), &[4]),
        (facets([(Facet::Network, "hbo")]), &[5]),
        (facets([(Facet::Network, "HBO Max")]), &[]),
        (facets([(Facet::Network, "Netflix")]), &[1, 2, 3]),
        (facets([(Facet::Network, "ПЕРВЫЙ КАНАЛ")]), &[4]),
        (facets([(Facet::Network, "-")]), &[6]),
        (facets([(Facet::Country, "united states")]), &[5]),
        (facets([(Facet::Country, "us")]), &[5]),
        (facets([(Facet::Country, "Russian Federation")]), &[4]),
        (facets([(Facet::Country, "-")]), &[1, 2, 3, 6]),
        (facets([(Facet::Day, "monday")]), &[5, 6]),
        (facets([(Facet::Day, "Mon")]), &[]),
        (facets([(Facet::Day, "-")]), &[1, 2, 3, 4]),
        (facets([(Facet::Day, "Tuesday"), (Facet::Network, "-")]), &[6]),
        (facets([(Facet::Genre, "drama"), (Facet::Language, "-")]), &[]),
        (ShowFilter { premiered_from: "2028".parse().ok(), ..none() }, &[1, 2, 4, 5]),
        (ShowFilter { premiered_to: "2028".parse().ok(), ..none() }, &[4, 5, 6]),
        (ShowFilter { premiered_from: "2028-01-02".parse().ok(), ..none() }, &[1, 2]),
        (ShowFilter { premiered_to: "2028-01-01".parse().ok(), ..none() }, &[4, 5, 6]),
        (ShowFilter { min_rating: "8".parse().ok(), ..none() }, &[1, 3, 4]),
        (ShowFilter { min_rating: "0".parse().ok(), ..none() }, &[1, 3, 4, 6]),
        (ShowFilter { max_rating: "8".parse().ok(), ..none() }, &[1, 4, 6]),
        (ShowFilter { max_rating: "10".parse().ok(), ..none() }, &[1, 3, 4, 6]),
        (
            ShowFilter { min_rating: "8.1".parse().ok(), max_rating: "8.1".parse().ok(), ..none() },
            &[3],
        ),
        (ShowFilter { min_rating: "9".parse().ok(), max_rating: "8".parse().ok(), ..none() }, &[]),
        (
            ShowFilter { min_rating: "8".parse().ok(), ..facets([(Facet::Language, "French")]) },
            &[1],
        ),
        (ShowFilter { text: "alpha".parse().ok(), ..facets([(Facet::Language, "-")]) }, &[2]),
    ];
    for (filter, expected) in cases {
        let page = store.shows(query(filter.clone(), "id")).await.expect("shows");
        assert_eq!(ids(&page), expected, "{filter:?}");
        assert_eq!(page.total, expected.len() as u64, "{filter:?}");
    }
}

/// [`assorted`] shows that differ in their facets.
fn varied() -> Vec<Show> {
    let mut shows = assorted();
    let network = |name: &str| json(&serde_json::json!({"id": 1, "name": name, "country": null}));
    let in_country = |name: &str, country: &str, code: &str| {
        let country = serde_json::json!({"name": country, "code": code});
        json(&serde_json::json!({"id": 1, "name": name, "country": country}))
    };
    let airs = |days: &[&str]| json(&serde_json::json!({"time": "21:00", "days": days}));
    shows[0].genres = vec!["Action".into(), "Drama".into(), "Drama".into()];
    shows[1].genres = vec!["Dramatic".into()];
    shows[2].genres.clear();
    shows[0].language = Some("French".into());
    shows[1].language = None;
    shows[2].status = Some("Running".into());
    shows[2].schedule = None;
    shows[3].kind = Some("Reality".into());
    shows[3].network = in_country("Первый канал", "Russian Federation", "RU");
    (shows[4].network, shows[4].web_channel) =
        (in_country("HBO", "United States", "US"), network("HBO Max"));
    shows[4].schedule = airs(&["Monday", "Sunday"]);
    (shows[5].web_channel, shows[5].schedule) = (None, airs(&["Tuesday", "Monday"]));
    shows
}

pub async fn facets_are_counted_within_the_other_filters(store: &impl Store) {
    publish_at(store, varied(), 2).await;
    let counted = async |filter: ShowFilter, facet: Facet, limit: u32| {
        let query = ShowQuery { facets: [facet].into(), limit, ..query(filter, "id") };
        let mut page = store.shows(query).await.expect("shows");
        let counts = page.facets.remove(&facet).expect("the requested facet");
        assert!(page.facets.is_empty(), "nothing else was requested");
        let counts = counts.into_iter().map(|FacetCount { value, count }| (value, count));
        (page.total, counts.collect::<Vec<_>>())
    };
    let some = |value: &str, count| (Some(value.to_owned()), count);
    let all = async |facet| counted(ShowFilter::default(), facet, 0).await.1;
    let genres = [some("Action", 4), some("Drama", 4), (None, 1), some("Dramatic", 1)];
    assert_eq!(all(Facet::Genre).await, genres);
    assert_eq!(all(Facet::Language).await, [some("English", 4), (None, 1), some("French", 1)]);
    assert_eq!(all(Facet::Status).await, [some("Ended", 5), some("Running", 1)]);
    assert_eq!(all(Facet::Type).await, [some("Scripted", 5), some("Reality", 1)]);
    let networks = [some("Netflix", 3), (None, 1), some("HBO", 1), some("Первый канал", 1)];
    assert_eq!(all(Facet::Network).await, networks);
    let countries = [(None, 4), some("Russian Federation", 1), some("United States", 1)];
    assert_eq!(all(Facet::Country).await, countries);
    let days = [(None, 4), some("Monday", 2), some("Sunday", 1), some("Tuesday", 1)];
    assert_eq!(all(Facet::Day).await, days);

    let drama = facets([(Facet::Genre, "drama")]);
    assert_eq!(
        counted(drama.clone(), Facet::Genre, 1).await,
        (4, genres.to_vec()),
        "a facet's own filter does not restrict its counts"
    );
    assert_eq!(
        counted(drama.clone(), Facet::Language, 1).await,
        (4, vec![some("English", 3), some("French", 1)])
    );
    let rated = ShowFilter { min_rating: "8".parse().ok(), ..drama };
    assert_eq!(
        counted(rated, Facet::Genre, 1).await,
        (2, vec![some("Action", 2), some("Drama", 2), (None, 1)])
    );
    let unknown = facets([(Facet::Genre, "Darma"), (Facet::Language, "French")]);
    assert_eq!(
        counted(unknown, Facet::Genre, 1).await,
        (0, vec![some("Action", 1), some("Drama", 1)])
    );
    let nothing = ShowFilter { text: "?".parse().ok(), ..ShowFilter::default() };
    assert_eq!(counted(nothing, Facet::Genre, 1).await, (0, vec![]));
}

pub async fn a_total_is_that_of_the_whole_list_on_every_page(store: &impl Store) {
    publish_at(store, varied(), 2).await;
    let mut asked = ShowQuery {
        limit: 1,
        facets: [Facet::Genre].into(),
        ..query(facets([(Facet::Genre, "Drama")]), "-rating")
    };
    let first = store.shows(asked.clone()).await.expect("shows");
    assert_eq!((first.total, first.shows.len()), (4, 1));
    let mut next = first.next.clone();
    for _ in 0..3 {
        asked.after = next.take();
        let page = store.shows(asked.clone()).await.expect("shows");
        assert_eq!((page.total, &page.facets), (4, &first.facets));
        next = page.next;
    }
    assert_eq!(next, None);
    publish_at(store, vec![show(1)], 3).await;
    let page = store.shows(asked).await.expect("shows");
    assert_eq!(page.total, 1, "the total of the snapshot that is read");
}

pub async fn an_unmatched_filter_has_suggestions(store: &impl Store) {
    publish_at(store, varied(), 2).await;
    let unmatched = async |filter: ShowFilter| {
        let unmatched = store.shows(query(filter, "id")).await.expect("shows").unmatched;
        let unmatched = unmatched.into_iter();
        unmatched.map(|filter| (filter.facet, filter.value, filter.suggestions)).collect::<Vec<_>>()
    };
    let suggested = |facet, value: &str, suggestions: &[&str]| {
        let suggestions = suggestions.iter().map(|text| (*text).to_owned());
        (facet, value.to_owned(), suggestions.collect::<Vec<_>>())
    };
    assert_eq!(
        unmatched(facets([(Facet::Genre, "darma"), (Facet::Country, "united")])).await,
        [
            suggested(Facet::Genre, "darma", &["Drama", "Dramatic"]),
            suggested(Facet::Country, "united", &["United States"]),
        ]
    );
    let matched_alone = facets([(Facet::Genre, "Dramatic"), (Facet::Language, "French")]);
    assert_eq!(found(store, matched_alone.clone()).await, [0; 0]);
    assert_eq!(unmatched(matched_alone).await, []);
    assert_eq!(unmatched(facets([(Facet::Status, "-")])).await, [], "every show may have a value");
}

pub async fn a_search_finds_words_in_any_case_and_accent_names_first(store: &impl Store) {
    let make = |id, name: &str, summary: &str, weight| {
        let mut show = show(id);
        (show.name, show.summary, show.weight) = (name.into(), Some(summary.into()), Some(weight));
        show
    };
    let shows = vec![
        make(1, "Kitchen", "<p>The <b>café</b> of a <i>detective</i></p>", 99),
        make(2, "The Café", "<p>Tom &amp; Jerry</p>", 10),
        make(3, "Cafe Society", "", 20),
        make(4, "CAFE", "", 1),
        make(5, "Пирог", "<p>Кухня</p>", 5),
    ];
    publish_at(store, shows, 2).await;
    let cases: [(&str, &[u32]); 14] = [
        ("cafe", &[4, 3, 2, 1]),
        ("CAFÉ", &[3, 2, 4, 1]),
        ("caf", &[3, 2, 4, 1]),
        ("caf ", &[]),
        ("cafe detec", &[1]),
        ("detective cafe", &[1]),
        ("society nowhere", &[]),
        ("tom & jerry", &[2]),
        ("amp", &[]),
        ("b", &[]),
        ("КУХН", &[5]),
        ("cafe OR kitchen", &[]),
        ("name:cafe", &[]),
        ("\"society\" cafe", &[3]),
    ];
    for (text, expected) in cases {
        assert_eq!(searched(store, text).await, expected, "{text:?}");
    }
    for odd in
        ["\"", "'", "*", "a*b\"c", "\0", "(", "NEAR(", "-", "^", "🙂", "%", "\\", "{", "; DROP"]
    {
        searched(store, odd).await;
    }
}

pub async fn a_search_finds_words_without_their_punctuation(store: &impl Store) {
    let make = |id, name: &str, summary: &str, weight| {
        let mut show = show(id);
        (show.name, show.summary, show.weight) = (name.into(), Some(summary.into()), Some(weight));
        show
    };
    let shows = vec![
        make(1, "S.W.A.T.", "", 50),
        make(2, "9-1-1: Lone Star", "", 90),
        make(3, "Nip/Tuck", "", 50),
        make(4, "Marvel's Spider-Man", "", 50),
        make(5, "Bob\u{2019}s Burgers", "<p>A family's restaurant</p>", 50),
        make(6, "Swat Kats", "", 60),
        make(7, "Police", "<p>A swat team</p>", 99),
        make(8, "Émile-Zola", "", 50),
        make(9, "9-1-1", "", 95),
    ];
    publish_at(store, shows, 2).await;
    let cases: [(&str, &[u32]); 20] = [
        ("swat", &[6, 1, 7]),
        ("SWA", &[6, 1, 7]),
        ("S.W.A.T.", &[1]),
        ("s.w.a.t", &[1]),
        ("s w a t", &[1]),
        ("911", &[9, 2]),
        ("9-1-1", &[9, 2]),
        ("911 lone", &[2]),
        ("niptuck", &[3]),
        ("nip tuck", &[3]),
        ("nip/tuck", &[3]),
        ("spiderman", &[4]),
        ("spider man", &[4]),
        ("marvels spiderman", &[4]),
        ("marvels spider-man", &[4]),
        ("bobs burgers", &[5]),
        ("bob's burgers", &[5]),
        ("bobs restaurant", &[5]),
        ("emilezola", &[8]),
        ("familys", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(searched(store, text).await, expected, "{text:?}");
    }
    publish_at(store, vec![make(1, "S.W.A.T.", "", 50), make(6, "S.W.A.T. Kats", "", 40)], 3).await;
    assert_eq!(searched(store, "swat").await, [1, 6]);
    assert_eq!(searched(store, "911").await, [0; 0]);
}

pub async fn a_show_is_found_by_its_external_ids(store: &impl Store) {
    let with =
        |id, externals: &str| Show { externals: RawJson::parse(externals.into()).ok(), ..show(id) };
    let find = async |database, id: &str| {
        let key = ExternalId::parse(database, id).expect("an id").into();
        store.show(key).await.expect("show").map(|show| show.id.0)
    };
    publish_at(
        store,
        vec![
            with(1, r#"{"tvrage":24493,"thetvdb":121361,"imdb":"tt0944947"}"#),
            with(2, r#"{"tvrage":null,"thetvdb":null,"imdb":null}"#),
            with(4, r#"{"tvrage":121361,"imdb":"tt0944948","thetvdb":7}"#),
            with(3, r#"{"tvrage":null,"imdb":"tt0944948","thetvdb":"8"}"#),
            with(5, "[]"),
            Show { externals: None, ..show(6) },
        ],
        2,
    )
    .await;
    for (database, id, expected) in [
        (Imdb, "tt0944947", Some(1)),
        (Thetvdb, "121361", Some(1)),
        (Thetvdb, "0121361", Some(1)),
        (Tvrage, "24493", Some(1)),
        (Tvrage, "121361", Some(4)),
        (Imdb, "tt0944948", Some(3)),
        (Thetvdb, "8", Some(3)),
        (Imdb, "tt00944947", None),
        (Tvrage, "0", None),
    ] {
        assert_eq!(find(database, id).await, expected, "{database:?} {id}");
    }

    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("keep");
    let moved = vec![with(3, r#"{"imdb":"tt0944949"}"#), with(7, r#"{"imdb":"tt0944950"}"#)];
    session.commit(pages(vec![(0, moved)], at(3)), &status).await.expect("stage");
    session.commit(deletions(&[1]), &status).await.expect("delete");
    assert_eq!(find(Imdb, "tt0944950").await, None, "not before it is published");
    session.publish(&[], &[], at(4), success(&status)).await.expect("publish");
    for (id, expected) in [
        ("tt0944947", None),
        ("tt0944948", Some(4)),
        ("tt0944949", Some(3)),
        ("tt0944950", Some(7)),
    ] {
        assert_eq!(find(Imdb, id).await, expected, "{id}");
    }
}

pub async fn a_search_knows_what_is_published_and_nothing_else(store: &impl Store) {
    let named = |id, name: &str| Show { name: name.into(), ..show(id) };
    publish_at(store, vec![named(1, "One"), named(2, "Two"), named(3, "Three")], 2).await;
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("keep");
    session
        .commit(pages(vec![(0, vec![named(2, "Second"), named(4, "Four")])], at(3)), &status)
        .await
        .expect("stage");
    session.commit(deletions(&[3]), &status).await.expect("drop");
    assert_eq!(searched(store, "second").await, [0; 0], "not before it is published");
    assert_eq!(searched(store, "three").await, [3]);
    session.publish(&[], &[], at(4), success(&status)).await.expect("publish");
    for (text, expected) in
        [("one", &[1][..]), ("second", &[2]), ("four", &[4]), ("two", &[2]), ("three", &[])]
    {
        // The summary of every show has the word "two".
        let mut found = searched(store, text).await;
        found.retain(|id| text != "two" || *id == 2);
        found.retain(|id| text != "one" || *id == 1);
        assert_eq!(found, expected, "{text}");
    }
    publish_at(store, vec![named(2, "Second"), named(5, "Five")], 5).await;
    assert_eq!(searched(store, "four").await, [0; 0]);
    assert_eq!(searched(store, "second").await, [2]);
    assert_eq!(searched(store, "five").await, [5]);
}

pub async fn a_search_can_be_read_on(store: &impl Store) {
    let shows = (1..=9).map(|id| Show { weight: Some(i64::from(id) % 3), ..show(id) }).collect();
    publish_at(store, shows, 2).await;
    let filter = ShowFilter { text: "show".parse().ok(), ..ShowFilter::default() };
    let (mut listed, mut after) = (Vec::new(), None::<KeysetCursor>);
    loop {
        let asked = ShowQuery { after, limit: 2, ..query(filter.clone(), "relevance") };
        let page = store.shows(asked).await.expect("shows");
        listed.extend(ids(&page));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, [2, 5, 8, 1, 4, 7, 3, 6, 9]);
}

pub async fn a_cast_is_given_as_it_is_stored(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(2)), &status).await.expect("stage");
    let cast = vec![cast_member(1, 9, 5), cast_member(1, 8, 4)];
    session.commit(cast_of(&show(1), cast, at(3)), &status).await.expect("cast");
    session.publish(&[ShowId(1)], &[], at(4), success(&status)).await.expect("publish");
    let rows = store.cast(ShowId(1)).await.expect("cast").expect("stored");
    let places: Vec<_> = rows.iter().map(|row| (row.position, row.member.character_id)).collect();
    assert_eq!(places, [(0, 5), (1, 4)]);
    assert_eq!(rows[0].member, cast_member(1, 9, 5));
    assert_eq!(rows[0].processed_at, at(3));
    assert_eq!(store.cast(ShowId(2)).await.expect("cast"), None);
}

pub async fn shows_are_counted(store: &impl Store) {
    let empty = store.stats().await.expect("stats");
    assert_eq!((empty.snapshot, empty.tables.all_shows, empty.genres.len()), (0, 0, 0));
    let mut shows = assorted();
    shows[0].genres.clear();
    shows[1].language = None;
    publish_at(store, shows, 2).await;
    let stats = store.stats().await.expect("stats");
    assert_eq!((stats.snapshot, stats.published_at), (1, Some(at(2))));
    assert_eq!(
        (stats.tables.all_shows, stats.tables.top_shows, stats.tables.top_shows_cast),
        (6, 0, 0)
    );
    let count = |value: &str, count| FacetCount { value: Some(value.to_owned()), count };
    let none = |count| FacetCount { value: None, count };
    assert_eq!(stats.genres, [count("Action", 5), count("Drama", 5), none(1)]);
    assert_eq!(stats.languages, [count("English", 5), none(1)]);
    assert_eq!(stats.networks, [count("Netflix", 6)]);
    assert_eq!(
        (stats.statuses, stats.types),
        (vec![count("Ended", 6)], vec![count("Scripted", 6)])
    );
    let numbers = |counts: Vec<FacetCount<i64>>| {
        counts.into_iter().map(|count| (count.value, count.count)).collect::<Vec<_>>()
    };
    assert_eq!(numbers(stats.ratings), [(Some(0), 1), (Some(8), 3), (None, 2)]);
    let years = [(Some(2027), 1), (Some(2028), 2), (Some(2029), 1), (Some(2030), 1), (None, 1)];
    assert_eq!(numbers(stats.premiere_years), years);
}

pub async fn an_empty_list_ends(store: &impl Store) {
    for order in ORDERS {
        let sort: Sort = order.parse().expect("an order");
        let page =
            store.shows(query(ShowFilter::default(), &sort.to_string())).await.expect("shows");
        assert_eq!(page, ShowPage::default());
    }
    assert_eq!(searched(store, "anything").await, [0; 0]);
    assert_eq!(store.cast(ShowId(1)).await.expect("cast"), None);
}
