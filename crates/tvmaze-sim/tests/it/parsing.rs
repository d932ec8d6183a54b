use std::time::Duration;

use proptest::prelude::*;
use tvmaze_sim::{Fault, FaultKind, RateLimit};

fn fault(text: &str) -> Fault {
    text.parse().expect(text)
}

#[test]
fn rate_limits_are_read_as_calls_and_period() {
    for (text, calls, per) in [
        ("20/10s", 20, Duration::from_secs(10)),
        ("500/1m", 500, Duration::from_mins(1)),
        ("2/1s", 2, Duration::from_secs(1)),
        ("1/250ms", 1, Duration::from_millis(250)),
        ("7/2h", 7, Duration::from_hours(2)),
    ] {
        let limit = RateLimit { calls, per, retry_after: false, exempt_cached: false };
        assert_eq!(text.parse::<RateLimit>().expect(text), limit);
    }
}

#[test]
fn the_error_for_a_rate_limit_names_the_format() {
    for text in [
        "",
        "20",
        "/10s",
        "20/",
        "20/10",
        "20/s",
        "0/10s",
        "20/0s",
        "-1/10s",
        "20/10d",
        "20/10 s",
        "20/99999999999999999999h",
        "20/9999999999999999999h",
    ] {
        let error = text.parse::<RateLimit>().expect_err(text).to_string();
        assert!(error.contains(&format!("`{text}`")) && error.contains("20/10s"), "{error}");
    }
}

#[test]
fn faults_are_read_as_kind_times_and_path() {
    let page = "/shows?page=7".to_owned();
    let expected = |kind, times| Fault { path: page.clone(), kind, times };
    assert_eq!(fault("status:500@/shows?page=7"), expected(FaultKind::Status(500), None));
    assert_eq!(fault("status:429*3@/shows?page=7"), expected(FaultKind::Status(429), Some(3)));
    assert_eq!(fault("truncate*2@/shows?page=7"), expected(FaultKind::Truncate, Some(2)));
    assert_eq!(fault("malformed@/shows?page=7"), expected(FaultKind::Malformed, None));
    assert_eq!(fault("wrong-shape@/shows?page=7"), expected(FaultKind::WrongShape, None));
    assert_eq!(fault("hang@/shows?page=7"), expected(FaultKind::Hang, None));
    assert_eq!(fault("reset@/shows?page=7"), expected(FaultKind::Reset, None));
    assert_eq!(fault("not-found@/shows?page=7"), expected(FaultKind::NotFound, None));
    assert_eq!(fault("truncate@/a@b*2").path, "/a@b*2");
}

#[test]
fn former_names_of_faults_are_aliases() {
    for (alias, name) in [("cut", "truncate"), ("object", "wrong-shape"), ("missing", "not-found")]
    {
        let [alias, name] = [alias, name].map(|kind| fault(&format!("{kind}*2@/shows")));
        assert_eq!(alias, name);
    }
}

#[test]
fn the_error_for_a_fault_names_the_format() {
    for text in [
        "",
        "truncate",
        "truncate@",
        "truncate@shows",
        "@/shows",
        "burn@/shows",
        "status@/shows",
        "status:abc@/shows",
        "status:99@/shows",
        "status:600@/shows",
        "truncate:1@/shows",
        "truncate*0@/shows",
        "truncate*@/shows",
        "truncate*x@/shows",
        "TRUNCATE@/shows",
    ] {
        let error = text.parse::<Fault>().expect_err(text).to_string();
        assert!(error.contains(&format!("`{text}`")), "{error}");
        assert!(error.contains("status:500*2@/shows?page=7"), "{error}");
    }
}

fn any_kind() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        (200_u16..600).prop_map(FaultKind::Status),
        Just(FaultKind::Truncate),
        Just(FaultKind::Malformed),
        Just(FaultKind::WrongShape),
        Just(FaultKind::Hang),
        Just(FaultKind::Reset),
        Just(FaultKind::NotFound),
    ]
}

proptest! {
    #[test]
    fn a_fault_survives_its_text(
        kind in any_kind(),
        times in prop::option::of(1_u32..),
        path in "/[a-z0-9/?=&@*:]{0,20}",
    ) {
        let fault = Fault { path, kind, times };
        prop_assert_eq!(fault.to_string().parse::<Fault>().expect("its own text"), fault);
    }

    #[test]
    fn a_rate_limit_survives_its_text(calls in 1_u32.., per in 1_u64..100_000_000) {
        let per = Duration::from_millis(per);
        let limit = RateLimit { calls, per, retry_after: false, exempt_cached: false };
        prop_assert_eq!(limit.to_string().parse::<RateLimit>().expect("its own text"), limit);
    }

    #[test]
    fn no_text_panics(text in ".{0,40}") {
        drop(text.parse::<Fault>());
        drop(text.parse::<RateLimit>());
    }
}
