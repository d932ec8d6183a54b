use std::collections::BTreeMap;

use tvmaze_sim::Dataset;

use crate::support::{list, shows};

#[test]
fn the_same_arguments_give_the_same_bytes_and_another_seed_gives_others() {
    let [one, same, other] = [7, 7, 8].map(|seed| Dataset::synthetic(600, seed));
    assert_eq!(one.page(1), same.page(1));
    assert_eq!(one.updates(), same.updates());
    assert_ne!(one.page(1), other.page(1));
    for id in 1..=600 {
        assert_eq!(one.show(id), same.show(id));
        assert_eq!(one.cast(id), same.cast(id));
    }
}

#[test]
fn a_bigger_dataset_of_the_same_seed_only_adds_at_the_end() {
    let small = shows(&Dataset::synthetic(600, 7));
    let big = shows(&Dataset::synthetic(900, 7));
    assert_eq!(small, big[..600]);
}

#[test]
fn there_are_exactly_as_many_shows_as_asked_for_and_the_last_page_is_not_empty() {
    for count in [0, 1, 2, 234, 235, 236, 600, 5_000] {
        let dataset = Dataset::synthetic(count, 3);
        assert_eq!(shows(&dataset).len(), count as usize);
        let pages: Vec<_> = (0..).map_while(|n| dataset.page(n)).collect();
        assert!(pages.last().is_none_or(|page| !list(page).is_empty()), "{count}");
        assert!(dataset.page(20_000).is_none());
        assert!(dataset.page(u32::MAX).is_none());
    }
}

#[test]
fn page_n_holds_its_250_ids_in_order_with_holes() {
    let dataset = Dataset::synthetic(5_000, 3);
    let mut last = 0;
    for (n, page) in (0_u64..).zip((0..).map_while(|n| dataset.page(n))) {
        for show in list(page) {
            let id = show["id"].as_u64().expect("an id");
            assert_eq!(id / 250, n);
            assert!(id > last);
            last = id;
        }
    }
    let deleted = last - shows(&dataset).len() as u64;
    assert!((4..=8).contains(&(100 * deleted / last)), "{deleted} of {last}");
}

#[test]
fn a_show_is_in_its_page_with_the_same_bytes_and_a_hole_is_nowhere() {
    let dataset = Dataset::synthetic(600, 3);
    let page = String::from_utf8(dataset.page(1).expect("page 1").to_vec()).expect("UTF-8");
    for id in 250..500 {
        if let Some(show) = dataset.show(id) {
            assert!(page.contains(str::from_utf8(&show).expect("UTF-8")));
        } else {
            assert!(!page.contains(&format!(r#"{{"id":{id},"#)));
            assert!(dataset.cast(id).is_none());
        }
    }
    assert!(dataset.show(0).is_none());
    assert!(dataset.show(u32::MAX).is_none());
}

#[test]
fn updates_name_every_show_with_its_own_time() {
    let dataset = Dataset::synthetic(600, 3);
    let updates: BTreeMap<u64, u64> =
        serde_json::from_slice(&dataset.updates()).expect("ids to times");
    let shows: BTreeMap<u64, u64> = shows(&dataset)
        .iter()
        .map(|show| (show["id"].as_u64().expect("id"), show["updated"].as_u64().expect("updated")))
        .collect();
    assert_eq!(updates, shows);
    assert!(shows.values().all(|time| (1_577_836_800..1_798_761_600).contains(time)));
}
