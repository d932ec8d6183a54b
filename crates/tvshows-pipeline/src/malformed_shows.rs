use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tvshows_core::ShowId;

/// If TVmaze changes the type of a field, every show is malformed, and the log needs not name all of them.
const MAX_WARNINGS: usize = 100;

/// The malformed shows of one attempt at a run.
#[derive(Debug, Default)]
pub(crate) struct MalformedShows {
    reported: Mutex<Reported>,
}

#[derive(Debug, Default)]
struct Reported {
    shows: BTreeSet<ShowId>,
    warnings: usize,
}

impl MalformedShows {
    /// Logs the malformed values of a show or its cast. Returns whether it is the first report of the show.
    pub(crate) fn report(&self, id: ShowId, name: &str, paths: &[String]) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = paths.join(", ");
        if reported.warnings < MAX_WARNINGS {
            reported.warnings += 1;
            tracing::warn!(
                show.id = id.0,
                show.name = name,
                fields,
                "show {id} has values of unexpected types"
            );
            if reported.warnings == MAX_WARNINGS {
                tracing::warn!("further shows with such values are logged at debug level");
            }
        } else {
            tracing::debug!(
                show.id = id.0,
                show.name = name,
                fields,
                "show {id} has values of unexpected types"
            );
        }
        reported.shows.insert(id)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce(&MalformedShows)) -> Vec<serde_json::Value> {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::WARN)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || work(&MalformedShows::default()));
        let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_warning_names_the_show_and_its_fields() {
        let paths = ["externals".to_owned(), "rating.average".to_owned()];
        let lines = logged(|shows| {
            assert!(shows.report(ShowId(3), "Show 3", &paths));
            assert!(!shows.report(ShowId(3), "Show 3", &["cast[0].person.name".to_owned()]));
        });
        assert_eq!(lines.len(), 2);
        let fields = &lines[0]["fields"];
        assert_eq!((&fields["show.id"], &fields["show.name"]), (&3.into(), &"Show 3".into()));
        assert_eq!(fields["fields"], "externals, rating.average");
    }

    #[test]
    fn a_change_of_all_shows_does_not_flood_the_log() {
        let lines = logged(|shows| {
            for id in 0..500 {
                assert!(shows.report(ShowId(id), "", &["externals".to_owned()]));
            }
        });
        assert_eq!(lines.len(), MAX_WARNINGS + 1);
        let last = lines[MAX_WARNINGS]["fields"]["message"].as_str().unwrap();
        assert!(last.contains("debug level"), "{last}");
    }
}
