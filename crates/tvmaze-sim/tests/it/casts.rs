use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tvmaze_sim::Dataset;

use crate::support::list;

fn casts(dataset: &Dataset, ids: std::ops::Range<u32>) -> Vec<Vec<Value>> {
    ids.filter_map(|id| dataset.cast(id)).map(list).collect()
}

#[test]
fn a_cast_row_has_the_newest_shape() {
    let dataset = Dataset::synthetic(100, 3);
    let row = casts(&dataset, 1..100).into_iter().flatten().next().expect("a cast");
    let keys = |value: &Value| {
        let mut keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys.join(",")
    };
    assert_eq!(keys(&row), "character,person,self,voice");
    assert_eq!(
        keys(&row["person"]),
        "_links,birthday,country,deathday,gender,id,image,name,updated,url"
    );
    assert_eq!(keys(&row["character"]), "_links,id,image,name,url");
}

#[test]
fn casts_are_short_or_long_share_persons_and_double_some() {
    let casts = casts(&Dataset::synthetic(600, 3), 1..600);
    assert!(casts.iter().any(Vec::is_empty));
    assert!(casts.iter().any(|cast| cast.len() > 20));
    assert!(casts.iter().all(|cast| cast.len() <= 30));

    let mut shows_of: HashMap<u64, usize> = HashMap::new();
    let mut doubled = 0;
    for cast in &casts {
        let ids: Vec<u64> =
            cast.iter().map(|row| row["person"]["id"].as_u64().expect("id")).collect();
        let distinct: HashSet<u64> = ids.iter().copied().collect();
        doubled += ids.len() - distinct.len();
        for id in distinct {
            *shows_of.entry(id).or_default() += 1;
        }
    }
    assert!(doubled > 0, "a person plays two characters somewhere");
    assert!(shows_of.values().any(|&shows| shows > 1), "a person is in two casts");

    let persons = || casts.iter().flatten().map(|row| &row["person"]);
    for key in ["country", "birthday", "deathday", "gender", "image"] {
        assert!(persons().any(|person| person[key].is_null()), "no null {key}");
        assert!(persons().any(|person| !person[key].is_null()), "only null {key}");
    }
    let characters: Vec<u64> =
        casts.iter().flatten().map(|row| row["character"]["id"].as_u64().expect("id")).collect();
    let distinct: HashSet<&u64> = characters.iter().collect();
    assert_eq!(distinct.len(), characters.len());
}
