//! The details of shows in their table, in the views, and beside an earlier release.

use std::sync::Arc;

use futures::StreamExt;
use tvshows_core::conformance::fixtures::{
    at, cast_member, details_of, episode, pages, running, show, success,
};
use tvshows_core::{
    CastMember, DetailsVersion, Episode, RawJson, Show, ShowDetails, ShowFilter, ShowId,
    SnapshotSource, StagedBatch,
};
use tvshows_postgres::PostgresStore;
use tvshows_testkit::PostgresServer;

use crate::support::{Copy, TestStore, begin};

fn ids<const N: usize>(ids: [u32; N]) -> [ShowId; N] {
    ids.map(ShowId)
}

/// A complete run that publishes the shows 1 to 4, the first two as top shows, the first and the third with episodes.
async fn publish_details(store: &PostgresStore) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, (1..5).map(show).collect())], at(2)), &status).await.unwrap();
    for id in [1, 2, 3] {
        let episodes = (id != 2).then(|| vec![episode(id, 1, "2026-11-23")]);
        let details = details_of(&show(id), vec![cast_member(id, 7, 5)], episodes, at(3));
        session.commit(details, &status).await.unwrap();
    }
    session.publish(&ids([1, 2]), &ids([1, 3]), at(5), success(&status)).await.unwrap();
}

#[tokio::test]
async fn views_have_the_rows_with_their_types() {
    let store = TestStore::new().await;
    publish_details(&store).await;
    let status = running();
    let session = begin(&store, &status).await;
    session.start_incremental().await.unwrap();
    let member = CastMember {
        character_name: "a\0\\u0000".into(),
        plays_self: Some(true),
        ..cast_member(4, 9, 8)
    };
    let special = Episode { number: None, rating_average: None, ..episode(4, 2, "2026-12-01") };
    let episodes = vec![special, episode(4, 1, "2026-11-24")];
    let details = details_of(&show(4), vec![cast_member(4, 8, 8), member], Some(episodes), at(9));
    session.commit(details, &status).await.unwrap();
    let staged = "SELECT count(*) FROM Episodes WHERE show_id = 4";
    assert_eq!(store.psql(staged).await, "0", "only staged");
    session.publish(&ids([1, 2]), &ids([1, 3, 4]), at(10), success(&status)).await.unwrap();

    let rows = "SELECT id, season, number, airdate::date + 1, rating_average * 2, position, \
                extra::json ->> '_links' FROM Episodes WHERE show_id = 4 ORDER BY position";
    let links = r#"{"show":{"name":null}}"#;
    let expected = format!("4002|1||2026-12-02||0|{links}\n4001|1|1|2026-11-25|15|1|{links}");
    assert_eq!(store.psql(rows).await, expected);
    assert_eq!(store.psql("SELECT count(*) FROM \"Episodes\"").await, "4");
    let rows = "SELECT person_id, character_name, self, voice IS NULL, position, extra, processed_at = \
                '2026-11-22T10:00:09Z' FROM Show_Cast WHERE show_id = 4 ORDER BY position";
    let expected = "8|Character 8|f|t|0|{\"of tomorrow\":[8]}|t\n\
                    9|a\u{2400}\\u0000|t|t|1|{\"of tomorrow\":[9]}|t";
    assert_eq!(store.psql(rows).await, expected);
    let shows = "SELECT string_agg(DISTINCT show_id::text, ',') FROM";
    assert_eq!(store.psql(&format!("{shows} \"Show_Cast\"")).await, "1,2,3,4");
    assert_eq!(store.psql(&format!("{shows} \"Top_Shows_Cast\"")).await, "1,2");
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_top_show_has_its_cast_in_the_table_of_earlier_releases() {
    let store = TestStore::new().await;
    publish_details(&store).await;
    let casts = "SELECT show_id, person_id, processed_at = '2026-11-22T10:00:03Z' FROM _cast_rows ORDER BY 1";
    assert_eq!(store.psql(casts).await, "1|7|t\n2|7|t");
    // The third becomes a top show without being fetched, the second gets another cast, the first is none.
    let status = running();
    let session = begin(&store, &status).await;
    session.start_incremental().await.unwrap();
    let details = details_of(&show(2), vec![cast_member(2, 9, 5)], None, at(3));
    session.commit(details, &status).await.unwrap();
    session.publish(&ids([3, 2]), &ids([1, 3]), at(6), success(&status)).await.unwrap();
    assert_eq!(store.psql(casts).await, "2|9|t\n3|7|t");
    // The second is chosen, and then not.
    for (detailed, episodes) in [(vec![ShowId(2)], "1"), (vec![], "0")] {
        let status = running();
        let session = begin(&store, &status).await;
        session.start_incremental().await.unwrap();
        let episodes_of_2 = Some(vec![episode(2, 1, "2026-11-23")]);
        let details = details_of(&show(2), vec![cast_member(2, 9, 5)], episodes_of_2, at(3));
        session.commit(details, &status).await.unwrap();
        session.publish(&ids([2]), &detailed, at(7), success(&status)).await.unwrap();
        assert_eq!(store.psql(casts).await, "2|9|t");
        assert_eq!(store.psql("SELECT count(*) FROM episodes").await, episodes);
    }
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
}

/// What a release before the details does in the transaction that publishes snapshot 2: it deletes the third show, and
/// fetches the casts of the top shows 1 and 4.
const EARLIER_PUBLISH: &str = "BEGIN; UPDATE _show_versions SET until = 2 WHERE id = 3; \
    DELETE FROM _top_shows; INSERT INTO _top_shows VALUES (4, 1), (1, 2); \
    DELETE FROM _cast_rows; \
    INSERT INTO _cast_rows SELECT c.id, p.position, '2026-11-22T10:00:08Z', NULL, 'Show', p.name, NULL, NULL, \
        'Male', NULL, 'Somebody', NULL, p.position + 1, 4, true, NULL \
        FROM (VALUES (1), (4)) c(id), (VALUES (0, 'First'), (1, 'Second')) p(position, name); \
    INSERT INTO _snapshots (number, published_at, run) VALUES (2, '2026-11-22T10:00:09Z', 'r'); COMMIT";

#[tokio::test]
async fn the_casts_of_an_earlier_release_are_read_and_then_fetched_again() {
    let store = TestStore::new().await;
    publish_details(&store).await;
    let mut copy = Copy::full(&store).await;
    store.psql(EARLIER_PUBLISH).await;
    assert!(!copy.update(&store).await.is_complete);
    assert_eq!(copy, Copy::full(&store).await);
    assert!(copy.details.keys().eq(&ids([1, 4])), "{:?}", copy.details.keys());
    let details = &copy.details[&ShowId(1)].details;
    let people: Vec<_> = details.cast.iter().map(|member| member.person_name.as_str()).collect();
    assert_eq!(people, ["First", "Second"]);
    assert_eq!(details.cast[0].plays_self, Some(true));
    assert_eq!(details.episodes, Some(vec![episode(1, 1, "2026-11-23")]));
    assert_eq!(copy.details[&ShowId(4)].processed_at, at(8));
    assert!(store.manifest().await.unwrap().details.is_empty(), "no version is known");
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
    assert_eq!(store.psql("SELECT count(*) FROM show_cast").await, "4");

    // The next run of this release fetches one of them, and the cast is the same but for `extra`.
    let cast = details
        .cast
        .iter()
        .map(|member| CastMember { extra: cast_member(1, 1, 1).extra, ..member.clone() });
    let status = running();
    let session = begin(&store, &status).await;
    session.start_incremental().await.unwrap();
    session.commit(details_of(&show(1), cast.collect(), None, at(12)), &status).await.unwrap();
    session.publish(&ids([4, 1]), &[], at(13), success(&status)).await.unwrap();
    copy.update(&store).await;
    assert_eq!(copy, Copy::full(&store).await);
    let versions = store.manifest().await.unwrap().details;
    let version = DetailsVersion { updated: show(1).updated, has_episodes: false };
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), [(ShowId(1), version)]);
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_migration_adopts_the_casts_and_an_earlier_release_never_publishes_what_is_staged() {
    let server = PostgresServer::shared().await;
    let url = server.create_database().await;
    for migration in ["0001_initial", "0002_covering_indexes"] {
        let path = format!("{}/migrations/{migration}.sql", env!("CARGO_MANIFEST_DIR"));
        server.psql(&url, &std::fs::read_to_string(path).unwrap()).await;
    }
    let version = "CREATE TABLE _schema_version (one boolean PRIMARY KEY DEFAULT true, version bigint, \
         oldest_reader bigint); INSERT INTO _schema_version VALUES (true, 2, 1); \
         INSERT INTO _show_versions (id, since, digest, processed_at, name, genres) \
         SELECT id, 1, '', '2026-11-22T10:00:00Z', 'Show', '' FROM generate_series(1, 4) id; \
         INSERT INTO _snapshots VALUES (1, '2026-11-22T10:00:05Z', 'r')";
    server.psql(&url, version).await;
    server.psql(&url, EARLIER_PUBLISH).await;
    let store = PostgresStore::new(&url).unwrap();
    store.migrate().await.unwrap();
    let store = TestStore { store, url };
    let copy = Copy::full(&store).await;
    assert!(copy.details.keys().eq(&ids([1, 4])));
    assert_eq!(copy.details[&ShowId(4)].details.cast.len(), 2);
    assert!(store.manifest().await.unwrap().details.is_empty());

    let status = running();
    let session = begin(&store, &status).await;
    let details = details_of(&show(2), vec![], Some(vec![]), at(12));
    session.commit(details, &status).await.unwrap();
    let next = "INSERT INTO _snapshots (number, published_at, run) VALUES (3, '2026-11-22T10:00:19Z', 'r')";
    store.psql(next).await;
    let copy = Copy::full(&store).await;
    assert!(copy.details.keys().eq(&ids([1, 4])), "{:?}", copy.details.keys());
}

#[tokio::test]
async fn old_versions_are_deleted_and_unchanged_ones_are_none() {
    let store = TestStore::new().await;
    for number in 1..=55_u32 {
        let status = running();
        let session = begin(&store, &status).await;
        let shows = vec![show(1), show(2)];
        session.commit(pages(vec![(0, shows)], at(2)), &status).await.unwrap();
        for (id, episode_number) in [(1, number), (2, 1)] {
            let episodes = Some(vec![episode(id, episode_number, "2026-11-23")]);
            let changed = Show { updated: Some(number.into()), ..show(id) };
            session.commit(details_of(&changed, vec![], episodes, at(3)), &status).await.unwrap();
        }
        session.publish(&[], &ids([1, 2]), at(4), success(&status)).await.unwrap();
    }
    let versions = "SELECT show_id, count(*), min(since), max(updated) FROM _details_versions GROUP BY 1 ORDER BY 1";
    assert_eq!(store.psql(versions).await, "1|51|5|55\n2|1|1|55");
}

#[tokio::test]
async fn details_are_those_of_the_snapshot_however_late_they_are_read() {
    let store = TestStore::new().await;
    publish_details(&store).await;
    let mut changes = store.changes_since(None).await.unwrap();
    let status = running();
    let session = begin(&store, &status).await;
    session.publish(&[], &[], at(9), success(&status)).await.unwrap();
    while changes.shows.next().await.is_some() {}
    let mut read = Vec::new();
    while let Some(batch) = changes.details.next().await {
        read.extend(batch.unwrap().into_iter().map(|stored| stored.details.show_id));
    }
    assert_eq!(read.len(), 3);

    let mut changes = store.changes_since(None).await.unwrap();
    changes.shows = futures::stream::empty().boxed();
    let unread = changes.details.next().await.unwrap();
    assert!(unread.unwrap_err().is_transient(), "their connection was closed with the shows");
}

#[tokio::test]
async fn the_same_shows_match_as_by_the_filter_itself() {
    let store = TestStore::new().await;
    let texts = ["English", "ENGLISH", "Straße", "STRASSE", "İ", "K", "\u{212a}", "a\0b", "a", ""];
    let json = |text: &str| {
        let text = text.replace('\0', "");
        RawJson::parse(format!(r#"{{"name": "{text}", "country": {{"code": "{text}"}}}}"#)).ok()
    };
    let mut shows: Vec<Show> = (1..)
        .zip(texts)
        .map(|(id, text)| Show {
            language: Some(text.into()),
            status: Some(text.into()),
            genres: vec!["Drama".into(), text.into()],
            network: json(text),
            summary: Some(format!("<p>{text}</p>")),
            rating_average: Some(f64::from(id)),
            premiered: Some(format!("20{id:02}-06-01{text}")),
            ..show(id)
        })
        .collect();
    shows.push(Show {
        language: None,
        status: None,
        kind: None,
        genres: vec![],
        rating_average: None,
        premiered: None,
        ..show(99)
    });
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, shows)], at(2)), &status).await.unwrap();
    session.publish(&[], &[], at(3), success(&status)).await.unwrap();
    let stored = Copy::full(&store).await.shows;

    let status = running();
    let session = begin(&store, &status).await;
    session.start_incremental().await.unwrap();
    let mut conditions = vec![("id", "99,3,1"), ("min_rating", "3"), ("max_rating", "4")];
    conditions.extend([("premiered_from", "2003"), ("premiered_to", "2008-06-01"), ("type", "-")]);
    for facet in ["language", "status", "genre", "network", "country", "q"] {
        let values = ["english", "strasse", "straße", "i̇", "k", "a", "a\0b", "drama", "-"];
        conditions.extend(values.map(|value| (facet, value)));
    }
    for (parameter, value) in &conditions {
        let mut filter = ShowFilter::default();
        filter.set(parameter, value).unwrap();
        let expected = stored.values().filter(|show| filter.matches(show));
        let expected: Vec<_> = expected.map(|show| show.id).collect();
        let found = session.matching_shows(filter).await.unwrap();
        assert_eq!(found.into_keys().collect::<Vec<_>>(), expected, "{parameter}={value:?}");
    }
}

#[tokio::test]
async fn of_several_details_of_a_show_the_last_one_is_staged() {
    let store = TestStore::new().await;
    let status = running();
    let session = begin(&store, &status).await;
    let details = |number: u32| ShowDetails {
        show_id: ShowId(1),
        updated: Some(number.into()),
        cast: vec![cast_member(1, number, 1)],
        episodes: None,
    };
    let batch = StagedBatch::Shows {
        shows: vec![show(1)],
        details: vec![details(1), details(2)],
        at: at(2),
    };
    session.commit(Some(Arc::new(batch)), &status).await.unwrap();
    session.publish(&[], &ids([1]), at(3), success(&status)).await.unwrap();
    let copy = Copy::full(&store).await;
    assert_eq!(copy.details[&ShowId(1)].details.cast, details(2).cast);
}
