use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;
use tvmaze_sim::Dataset;

use crate::support::{json, shows};

/// A property of shows and how many of 1,000 should have it.
type Case<'a> = (&'a str, Range<usize>, &'a dyn Fn(&Value) -> bool);

fn permille(shows: &[Value], has_property: impl Fn(&Value) -> bool) -> usize {
    1_000 * shows.iter().filter(|show| has_property(show)).count() / shows.len()
}

#[test]
fn a_show_has_every_key_in_tvmazes_order() {
    let show = Dataset::synthetic(1, 3).page(0).expect("page 0");
    let show = str::from_utf8(&show).expect("UTF-8");
    let keys = "id,url,name,type,language,genres,status,runtime,averageRuntime,premiered,ended,\
                officialSite,schedule,rating,weight,network,webChannel,dvdCountry,externals,image,\
                summary,updated,_links";
    let positions: Vec<Option<usize>> =
        keys.split(',').map(|key| show.find(&format!("\"{key}\":"))).collect();
    assert!(positions.iter().all(Option::is_some), "{show}");
    assert!(positions.is_sorted(), "{show}");
    assert_eq!(json(show)[0].as_object().expect("an object").len(), positions.len());
}

#[test]
fn shows_have_the_proportions_of_real_ones() {
    let dataset = Dataset::synthetic(5_000, 3);
    let shows = shows(&dataset);
    let rating = |show: &Value| show["rating"]["average"].clone();
    let text = |show: &Value, key: &str| show[key].as_str().unwrap_or("").to_owned();
    let cases: [Case; 18] = [
        ("English", 450..550, &|show| show["language"] == "English"),
        ("no language", 10..35, &|show| show["language"].is_null()),
        ("Action", 100..140, &|show| {
            show["genres"].as_array().is_some_and(|genres| genres.contains(&"Action".into()))
        }),
        ("no genre", 220..320, &|show| show["genres"].as_array().is_some_and(Vec::is_empty)),
        ("no rating", 480..600, &|show| rating(show).is_null()),
        ("a whole rating", 20..80, &|show| rating(show).is_u64()),
        ("a rating with a decimal", 350..480, &|show| rating(show).is_f64()),
        ("no network", 370..470, &|show| show["network"].is_null()),
        ("no web channel", 500..600, &|show| show["webChannel"].is_null()),
        ("both channels", 15..45, &|show| {
            show["network"].is_object() && show["webChannel"].is_object()
        }),
        ("neither channel", 0..1, &|show| {
            show["network"].is_null() && show["webChannel"].is_null()
        }),
        ("no picture", 15..60, &|show| show["image"].is_null()),
        ("no summary", 30..80, &|show| show["summary"].is_null()),
        ("no time", 320..420, &|show| show["schedule"]["time"] == ""),
        ("no end", 500..620, &|show| show["ended"].is_null()),
        ("U+00A0", 20..70, &|show| text(show, "summary").contains('\u{a0}')),
        ("&amp;", 20..110, &|show| text(show, "summary").contains("&amp;")),
        ("a foreign script", 40..120, &|show| text(show, "name").chars().any(|c| c > '\u{3ff}')),
    ];
    for (name, expected, has_property) in cases {
        let found = permille(&shows, has_property);
        assert!(expected.contains(&found), "{name}: {found} per 1,000, expected {expected:?}");
    }
    let names: HashSet<_> = shows.iter().map(|show| text(show, "name")).collect();
    assert!(names.len() < shows.len(), "some names repeat");
}

#[test]
fn dates_and_ratings_are_in_their_ranges() {
    for show in shows(&Dataset::synthetic(5_000, 3)) {
        if let Some(average) = show["rating"]["average"].as_f64() {
            assert!((1.0..=10.0).contains(&average), "{show}");
            let tenths = average * 10.0;
            assert!((tenths - tenths.round()).abs() < 1e-9, "{show}");
        }
        if let Some(premiered) = show["premiered"].as_str() {
            assert!(("1950".."2027").contains(&premiered), "{show}");
            assert!(show["ended"].as_str().is_none_or(|ended| ended >= premiered), "{show}");
        }
    }
}

#[test]
fn a_show_has_the_size_of_a_real_one() {
    let dataset = Dataset::synthetic(5_000, 3);
    let sizes: Vec<usize> =
        (1..).take(5_000).filter_map(|id| dataset.show(id)).map(|show| show.len()).collect();
    assert!(sizes.iter().all(|size| (600..3_500).contains(size)), "{:?}", sizes.iter().max());
    let average = sizes.iter().sum::<usize>() / sizes.len();
    assert!((1_250..1_450).contains(&average), "{average}");
}
