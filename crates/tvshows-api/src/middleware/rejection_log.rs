use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use metrics::counter;
use tokio::time::sleep;

/// How many rejections of a kind are logged in each [`WINDOW`]; the others are only counted.
const MAX_LINES: u64 = 10;
const WINDOW: Duration = Duration::from_secs(10);
/// The codes whose counters exist from the start, so that their first increase is visible.
const EXPECTED: [&str; 4] =
    ["token_required", "invalid_token", "too_many_requests", "malformed_request"];

/// The number of rejections in the current window, by error code.
type Windows = HashMap<&'static str, u64>;

/// Decides which rejections are logged, so that clients cannot flood the log.
pub(crate) struct RejectionLog {
    windows: Arc<Mutex<Windows>>,
}

impl RejectionLog {
    pub(crate) fn new() -> RejectionLog {
        for code in EXPECTED {
            counter!("tvshows_http_rejections_total", "code" => code).increment(0);
        }
        RejectionLog { windows: Arc::default() }
    }

    /// Counts a rejection. Returns whether to log it; if it is not logged, a line at the end of the window has the
    /// number of those that were not.
    pub(crate) fn record(&self, code: &'static str) -> bool {
        counter!("tvshows_http_rejections_total", "code" => code).increment(1);
        let mut windows = lock(&self.windows);
        let count = windows.entry(code).or_default();
        *count += 1;
        if *count == 1 {
            tokio::spawn(end_window(self.windows.clone(), code));
        }
        *count <= MAX_LINES
    }
}

fn lock(windows: &Mutex<Windows>) -> MutexGuard<'_, Windows> {
    windows.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn end_window(windows: Arc<Mutex<Windows>>, code: &'static str) {
    sleep(WINDOW).await;
    let count = lock(&windows).remove(code).unwrap_or_default();
    if let Some(suppressed @ 1..) = count.checked_sub(MAX_LINES) {
        let seconds = WINDOW.as_secs();
        let requests = if suppressed == 1 { "request" } else { "requests" };
        tracing::warn!(
            error.code = code,
            suppressed,
            "and {suppressed} more {requests} rejected in the last {seconds} s"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_leaves_a_bounded_number_of_lines_and_their_number() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let rejections = RejectionLog::new();
        for window in 1..=2 {
            let logged = (0..3000).filter(|_| rejections.record("invalid_token")).count();
            assert_eq!(logged, 10);
            assert!(rejections.record("foreign_origin"), "another kind");
            sleep(WINDOW + Duration::from_millis(1)).await;
            let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            let line = log.lines().last().unwrap();
            assert!(line.contains("and 2990 more requests rejected in the last 10 s"), "{log}");
            assert_eq!(log.lines().count(), window, "{log}");
        }
        assert!(lock(&rejections.windows).is_empty());
    }
}
