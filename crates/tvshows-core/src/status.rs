use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    ChangeCounts, FetchMode, RunId, RunParameters, RunState, Step, StepTiming, TopLimit, Trigger,
    Years,
};

/// The status of a run.
// The Redis hash and the table `Runs` have the same fields. Those with a default are missing in statuses
// written by earlier versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunStatus {
    /// The run's id.
    pub request_id: RunId,
    /// The run's state.
    pub state: RunState,
    /// Whether a process is working on the run.
    pub running: bool,
    /// The current step, or the last one if the run has ended.
    pub step: Step,
    /// The steps so far, in order; at most the last 50. A step is listed again if it is repeated, for example after an
    /// interruption. Empty for runs of earlier versions.
    #[serde(default)]
    pub steps: Vec<StepTiming>,
    /// Percentage of work done. Never falls; 100 once published.
    #[schemars(range(max = 100))]
    pub progress: u8,
    /// Why the run failed or was interrupted.
    pub error: Option<String>,
    /// Index pages staged.
    pub pages_done: u32,
    /// Index pages to fetch; `null` until known.
    pub pages_total: Option<u32>,
    /// Shows staged.
    pub shows_seen: u32,
    /// Shows refetched because their index page was outdated.
    pub singles_done: u32,
    /// Shows to refetch; `null` until all pages are staged.
    pub singles_total: Option<u32>,
    /// Casts staged.
    pub casts_done: u32,
    /// Casts to fetch; `null` until the shows are ranked.
    pub casts_total: Option<u32>,
    /// Shows whose episodes and cast are staged.
    #[serde(default)]
    pub details_done: u32,
    /// Shows whose episodes and cast are to be fetched; `null` until known.
    #[serde(default)]
    pub details_total: Option<u32>,
    /// Shows on the staged index pages that lack details. Only for the percentage, until `details_total` is known.
    #[serde(skip)]
    pub details_expected: u32,
    #[serde(flatten)]
    pub changes: ChangeCounts,
    /// Shows fetched with a value of an unexpected type, which is stored in `extra`.
    #[serde(default)]
    pub malformed_shows: u32,
    #[serde(flatten)]
    pub counts: RequestCounts,
    /// The limit of `requests`, at which the run fails; `null` until planned.
    #[serde(default)]
    pub max_requests: Option<u64>,
    /// When the run started.
    pub started_at: Option<Timestamp>,
    /// When the status last changed.
    pub updated_at: Timestamp,
    /// When the run ended.
    pub finished_at: Option<Timestamp>,
    /// Estimated seconds left.
    pub eta_seconds: Option<u64>,
    /// The `years` parameter.
    pub years: u16,
    /// The `top` parameter.
    pub top: u16,
    /// The `mode` parameter.
    pub mode: FetchMode,
    /// What started the run; `null` for runs of earlier versions.
    #[serde(default)]
    pub trigger: Option<Trigger>,
    /// The process that works on the run, or did last.
    pub instance: String,
    /// Number of attempts: more than 1 after an interruption.
    #[serde(default)]
    pub attempt: u32,
    /// Number of runs ahead in the queue; `null` unless queued.
    #[serde(default)]
    pub position: Option<u32>,
    /// Rises with every change: the signature, `ETag` and event id.
    pub revision: u64,
}

/// The requests of a run so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RequestCounts {
    /// Requests sent to TVmaze, including retries.
    pub requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Responses with status 429.
    pub rate_limited: u64,
}

/// Something that changes the status of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEvent {
    /// Work starts, or resumes after an interruption.
    Started,
    /// Earlier attempts have staged this many index pages.
    Resumed(u32),
    /// What earlier attempts have staged is discarded.
    StagingDiscarded,
    StepBegan(Step),
    /// This many index pages are to be fetched in total.
    PagesPlanned(u32),
    /// More index pages are staged.
    PagesStaged {
        pages: u32,
        /// The shows on them.
        shows: u32,
    },
    /// This many shows are to be fetched individually in total.
    RefetchesPlanned(u32),
    /// More individually fetched shows are staged, or no longer exist.
    RefetchesStaged(u32),
    /// This many more shows with a value of an unexpected type were fetched.
    MalformedShows(u32),
    /// All pages and shows are staged: this many shows.
    ShowsCounted(u32),
    /// This many casts are to be fetched in total.
    CastsPlanned(u32),
    CastStaged,
    /// This many more shows on index pages need their episodes and casts.
    DetailsExpected(u32),
    /// The episodes and the casts of this many shows are to be fetched in total.
    DetailsPlanned(u32),
    /// The episodes and the casts of this many more shows are staged, or the shows no longer exist.
    DetailsStaged(u32),
    /// The request counts so far.
    Requests(RequestCounts),
    /// The run may send this many requests in total.
    RequestsPlanned(u64),
    /// The snapshot is published.
    Succeeded(ChangeCounts),
    /// The run ends without changing a table, for this reason.
    Failed(String),
    /// The run was canceled.
    Cancelled,
    /// The process ends or ended before the run did, for this reason.
    Interrupted(String),
}

/// The error of a run whose process died.
const PROCESS_DIED: &str = "its process ended; it resumes when a service starts";
/// How many steps are recorded. A run has six, and repeats them when it is resumed.
const MAX_STEPS: usize = 50;
/// The work of publishing, in pages.
const PUBLISHING_WORK: u32 = 5;
/// More revisions than clients can have seen beyond the stored status. Matters only if the clock was set
/// back.
const REVISION_GAP: u64 = 1000;
/// An estimate of the remaining pages while the length of the index is unknown.
const UNKNOWN_PAGES_AHEAD: u32 = 100;

impl RunStatus {
    /// Creates the status of a new run.
    #[must_use]
    pub fn queued(
        request_id: RunId,
        parameters: RunParameters,
        instance: &str,
        now: Timestamp,
    ) -> RunStatus {
        RunStatus {
            request_id,
            state: RunState::Queued,
            running: false,
            step: Step::Queued,
            steps: vec![StepTiming { step: Step::Queued, started_at: now, finished_at: None }],
            progress: 0,
            error: None,
            pages_done: 0,
            pages_total: None,
            shows_seen: 0,
            singles_done: 0,
            singles_total: None,
            casts_done: 0,
            casts_total: None,
            details_done: 0,
            details_total: None,
            details_expected: 0,
            changes: ChangeCounts::default(),
            malformed_shows: 0,
            counts: RequestCounts::default(),
            max_requests: None,
            started_at: None,
            updated_at: now,
            finished_at: None,
            eta_seconds: None,
            years: parameters.years.get(),
            top: parameters.top.get(),
            mode: parameters.mode,
            trigger: None,
            instance: instance.to_owned(),
            attempt: 0,
            position: None,
            revision: 1,
        }
    }

    /// Returns the fields by name, as they are serialized.
    pub fn fields(&self) -> serde_json::Result<Map<String, Value>> {
        serde_json::to_value(self).and_then(serde_json::from_value)
    }

    #[must_use]
    pub fn parameters(&self) -> RunParameters {
        RunParameters {
            years: Years::new(self.years).unwrap_or_default(),
            top: TopLimit::new(self.top).unwrap_or_default(),
            mode: self.mode,
        }
    }

    /// Applies an event. Returns `false` if nothing changed: the run has ended, or the event adds nothing.
    pub fn apply(&mut self, event: RunEvent, now: Timestamp) -> bool {
        if self.state.is_terminal() {
            return false;
        }
        let before = self.clone();
        self.transition(event, now);
        self.progress = self.progress.max(self.percent_done());
        self.running = self.state == RunState::Running;
        if *self == before {
            return false;
        }
        self.eta_seconds = self.seconds_left(now);
        self.updated_at = now;
        self.revision += 1;
        true
    }

    /// Marks a run whose process died as interrupted.
    ///
    /// The stored status may be older than the last one a client saw. The revision jumps to the time in
    /// milliseconds, beyond any that single steps can reach, so that this status counts as newer.
    pub fn mark_interrupted(&mut self, now: Timestamp) {
        self.apply_from_outside(RunEvent::Interrupted(PROCESS_DIED.into()), now);
    }

    /// Marks a run as canceled that another process may be working on. The revision jumps as in
    /// [`mark_interrupted`](Self::mark_interrupted).
    pub fn mark_cancelled(&mut self, now: Timestamp) {
        self.apply_from_outside(RunEvent::Cancelled, now);
    }

    fn apply_from_outside(&mut self, event: RunEvent, now: Timestamp) {
        if self.apply(event, now) {
            let beyond = u64::try_from(now.as_millisecond()).unwrap_or_default();
            self.revision = beyond.max(self.revision + REVISION_GAP);
        }
    }

    fn transition(&mut self, event: RunEvent, now: Timestamp) {
        match event {
            RunEvent::Started => {
                self.state = RunState::Running;
                self.begin_step(Step::Planning, now);
                self.started_at = self.started_at.or(Some(now));
                self.finished_at = None;
                self.error = None;
                self.attempt += 1;
                self.details_expected = 0;
                self.position = None;
            }
            RunEvent::Resumed(pages) => self.pages_done = pages,
            RunEvent::StagingDiscarded => {
                (self.pages_done, self.pages_total) = (0, None);
                (self.singles_done, self.singles_total) = (0, None);
                (self.casts_done, self.casts_total) = (0, None);
                (self.details_done, self.details_total, self.details_expected) = (0, None, 0);
                (self.shows_seen, self.malformed_shows) = (0, 0);
            }
            RunEvent::StepBegan(step) => self.begin_step(step, now),
            RunEvent::PagesPlanned(pages) => self.pages_total = Some(pages),
            RunEvent::PagesStaged { pages, shows } => {
                self.pages_done += pages;
                self.shows_seen += shows;
                self.pages_total = self.pages_total.map(|total| total.max(self.pages_done));
            }
            RunEvent::RefetchesPlanned(shows) => self.singles_total = Some(shows),
            RunEvent::RefetchesStaged(shows) => self.singles_done += shows,
            RunEvent::MalformedShows(shows) => self.malformed_shows += shows,
            RunEvent::ShowsCounted(shows) => self.shows_seen = shows,
            RunEvent::CastsPlanned(casts) => self.casts_total = Some(casts),
            RunEvent::CastStaged => self.casts_done += 1,
            RunEvent::DetailsExpected(shows) => self.details_expected += shows,
            RunEvent::DetailsPlanned(shows) => self.details_total = Some(shows),
            RunEvent::DetailsStaged(shows) => self.details_done += shows,
            RunEvent::Requests(counts) => self.counts = counts,
            RunEvent::RequestsPlanned(requests) => self.max_requests = Some(requests),
            RunEvent::Succeeded(changes) => {
                self.changes = changes;
                self.step = Step::Completed;
                self.end(RunState::Succeeded, None, now);
            }
            RunEvent::Failed(error) => self.end(RunState::Failed, Some(error), now),
            RunEvent::Cancelled => self.end(RunState::Cancelled, None, now),
            RunEvent::Interrupted(reason) => self.end(RunState::Interrupted, Some(reason), now),
        }
    }

    fn end(&mut self, state: RunState, error: Option<String>, now: Timestamp) {
        self.state = state;
        self.error = error;
        self.finished_at = Some(now);
        self.finish_step(now);
    }

    fn begin_step(&mut self, step: Step, now: Timestamp) {
        self.step = step;
        if self.steps.last().is_some_and(|last| last.step == step && last.finished_at.is_none()) {
            return;
        }
        self.finish_step(now);
        if self.steps.len() >= MAX_STEPS {
            self.steps.remove(0);
        }
        self.steps.push(StepTiming { step, started_at: now, finished_at: None });
    }

    fn finish_step(&mut self, now: Timestamp) {
        if let Some(StepTiming { finished_at: finished_at @ None, .. }) = self.steps.last_mut() {
            *finished_at = Some(now);
        }
    }

    /// Weighted by requests: a page, an individual show, a cast and the details of a show are one each.
    fn percent_done(&self) -> u8 {
        if self.state == RunState::Succeeded {
            return 100;
        }
        let (done, total) = self.work();
        u8::try_from(u64::from(done) * 100 / u64::from(total)).map_or(99, |percent| percent.min(99))
    }

    fn work(&self) -> (u32, u32) {
        let done = self.pages_done + self.singles_done + self.casts_done + self.details_done;
        let pages = self.pages_total.unwrap_or(self.pages_done + UNKNOWN_PAGES_AHEAD);
        let casts = self.casts_total.unwrap_or(u32::from(self.top));
        let details = self.details_total.unwrap_or_else(|| self.expected_details(pages));
        let individual = self.singles_total.unwrap_or_default() + details;
        (done, pages + individual + casts + PUBLISHING_WORK)
    }

    /// Extrapolates from the staged pages.
    fn expected_details(&self, pages: u32) -> u32 {
        let staged = u64::from(self.pages_done.max(1));
        let expected = u64::from(self.details_expected) * u64::from(pages.max(1)) / staged;
        u32::try_from(expected).unwrap_or(u32::MAX / 2)
    }

    fn seconds_left(&self, now: Timestamp) -> Option<u64> {
        let (done, total) = self.work();
        // No work was done between two attempts, so the time since the start says nothing about the rate.
        let is_first = self.attempt == 1;
        if self.state != RunState::Running || done == 0 || self.pages_total.is_none() || !is_first {
            return None;
        }
        let spent = now.duration_since(self.started_at?).as_millis();
        let left = spent * i128::from(total.saturating_sub(done)) / i128::from(done);
        u64::try_from(left / 1000).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn queued() -> RunStatus {
        RunStatus::queued(RunId::random(), RunParameters::default(), "here", at(0))
    }

    fn running(pages: u32) -> RunStatus {
        let mut status = queued();
        status.apply(RunEvent::Started, at(0));
        status.apply(RunEvent::PagesPlanned(pages), at(0));
        status
    }

    #[test]
    fn every_change_raises_the_revision_by_one() {
        let mut status = queued();
        assert!(status.apply(RunEvent::Started, at(1)));
        assert!(status.apply(RunEvent::PagesStaged { pages: 1, shows: 250 }, at(2)));
        assert_eq!(status.revision, 3);
        assert!(!status.apply(RunEvent::StepBegan(Step::Planning), at(3)), "says nothing new");
        assert_eq!(status.revision, 3);
        assert_eq!(status.updated_at, at(2));
    }

    #[test]
    fn nothing_follows_the_end() {
        for end in [
            RunEvent::Succeeded(ChangeCounts::default()),
            RunEvent::Failed("x".into()),
            RunEvent::Cancelled,
        ] {
            let mut status = running(10);
            assert!(status.apply(end, at(5)));
            let ended = status.clone();
            for late in [
                RunEvent::PagesStaged { pages: 1, shows: 250 },
                RunEvent::Started,
                RunEvent::Succeeded(ChangeCounts::default()),
            ] {
                assert!(!status.apply(late, at(6)));
            }
            assert_eq!(status, ended);
        }
    }

    #[test]
    fn a_failure_keeps_the_step_that_was_reached() {
        let mut status = running(10);
        status.apply(RunEvent::StepBegan(Step::FetchingCast), at(1));
        status.apply(RunEvent::Failed("cast of show 5: answered 500".into()), at(2));
        assert_eq!((status.state, status.step), (RunState::Failed, Step::FetchingCast));
        assert!(!status.running && status.progress < 100);
    }

    #[test]
    fn an_interrupted_run_may_go_on() {
        let mut status = running(10);
        status.apply(RunEvent::PagesStaged { pages: 1, shows: 250 }, at(0));
        status.apply(RunEvent::Interrupted("the process ended".into()), at(1));
        assert!(!status.running);
        let reached = status.progress;
        assert!(status.apply(RunEvent::Started, at(2)));
        assert!(status.running);
        assert_eq!((status.attempt, status.started_at), (2, Some(at(0))));
        assert_eq!((status.pages_done, status.progress), (1, reached));
        status.apply(RunEvent::StagingDiscarded, at(2));
        assert_eq!((status.pages_done, status.progress), (0, reached), "what was said stays said");
    }

    #[test]
    fn every_step_has_its_times_even_of_a_run_that_was_interrupted() {
        let mut status = queued();
        for (second, event) in [
            (1, RunEvent::Started),
            (3, RunEvent::StepBegan(Step::FetchingShows)),
            (4, RunEvent::StepBegan(Step::FetchingShows)),
            (9, RunEvent::Interrupted("the process ended".into())),
            (20, RunEvent::Started),
            (22, RunEvent::StepBegan(Step::Publishing)),
        ] {
            status.apply(event, at(second));
        }
        let steps = |status: &RunStatus| -> Vec<_> {
            let times = |timing: &StepTiming| (timing.step, timing.started_at, timing.finished_at);
            status.steps.iter().map(times).collect()
        };
        let mut expected = vec![
            (Step::Queued, at(0), Some(at(1))),
            (Step::Planning, at(1), Some(at(3))),
            (Step::FetchingShows, at(3), Some(at(9))),
            (Step::Planning, at(20), Some(at(22))),
            (Step::Publishing, at(22), None),
        ];
        assert_eq!(steps(&status), expected);
        status.apply(RunEvent::Succeeded(ChangeCounts::default()), at(23));
        expected[4].2 = Some(at(23));
        assert_eq!(steps(&status), expected);
    }

    #[test]
    fn the_steps_of_a_run_that_is_interrupted_forever_are_limited() {
        let mut status = queued();
        for second in 0..200 {
            status.apply(RunEvent::Started, at(second));
            status.apply(RunEvent::Interrupted("x".into()), at(second));
        }
        assert_eq!(status.steps.len(), MAX_STEPS);
        assert_eq!(status.steps.last().unwrap().started_at, at(199));
    }

    #[test]
    fn a_dead_run_gets_a_revision_that_nobody_has_seen() {
        let mut known = running(10);
        let mut seen = known.clone();
        for _ in 0..9 {
            seen.apply(RunEvent::PagesStaged { pages: 1, shows: 250 }, at(1));
        }
        let mut set_back = known.clone();
        known.mark_interrupted(at(2));
        assert_eq!(known.state, RunState::Interrupted);
        assert!(known.revision > seen.revision);
        set_back.mark_interrupted(Timestamp::UNIX_EPOCH);
        assert!(set_back.revision > seen.revision, "whatever the clock says");
        let ended = running(10);
        let mut late = ended.clone();
        late.apply(RunEvent::Succeeded(ChangeCounts::default()), at(1));
        let succeeded = late.clone();
        late.mark_interrupted(at(2));
        assert_eq!(late, succeeded);
    }

    #[test]
    fn estimates_the_time_left_from_the_work_done() {
        let mut status = running(85);
        for _ in 0..25 {
            status.apply(RunEvent::PagesStaged { pages: 1, shows: 250 }, at(50));
        }
        assert_eq!(status.progress, 25, "25 of 85 pages, 10 casts and publishing");
        assert_eq!(status.eta_seconds, Some(150));
        status.apply(RunEvent::Cancelled, at(51));
        assert_eq!(status.eta_seconds, None);
    }

    #[test]
    fn the_percentage_includes_details_before_their_number_is_known() {
        let mut status = running(85);
        for page in 1..=85 {
            status.apply(RunEvent::DetailsExpected(10), at(page));
            status.apply(RunEvent::PagesStaged { pages: 1, shows: 250 }, at(page));
            assert_eq!(i64::from(status.progress), page * 100 / 950, "of 85, 850, 10 and 5");
        }
        assert_eq!((status.details_total, status.eta_seconds), (None, Some(865)));
        let mut resumed = status.clone();
        resumed.apply(RunEvent::Interrupted("x".into()), at(86));
        resumed.apply(RunEvent::Started, at(87));
        assert_eq!(resumed.details_expected, 0, "the next attempt counts them again");
        status.apply(RunEvent::DetailsPlanned(850), at(90));
        status.apply(RunEvent::DetailsStaged(425), at(90));
        assert_eq!(status.progress, 53);
        assert!(!status.fields().unwrap().contains_key("details_expected"));
    }

    fn any_event() -> impl Strategy<Value = RunEvent> {
        prop_oneof![
            Just(RunEvent::Started),
            (0_u32..500).prop_map(RunEvent::Resumed),
            Just(RunEvent::StagingDiscarded),
            prop::sample::select(&[Step::Planning, Step::FetchingShows, Step::Publishing])
                .prop_map(RunEvent::StepBegan),
            (0_u32..500).prop_map(RunEvent::PagesPlanned),
            (0_u32..4, 0_u32..751)
                .prop_map(|(pages, shows)| RunEvent::PagesStaged { pages, shows }),
            (0_u32..100).prop_map(RunEvent::CastsPlanned),
            Just(RunEvent::CastStaged),
            (0_u32..9).prop_map(RunEvent::DetailsExpected),
            (0_u32..100).prop_map(RunEvent::DetailsPlanned),
            (0_u32..9).prop_map(RunEvent::DetailsStaged),
            (0_u64..9).prop_map(|requests| RunEvent::Requests(RequestCounts {
                requests,
                ..RequestCounts::default()
            })),
            Just(RunEvent::Interrupted("x".into())),
            Just(RunEvent::Failed("x".into())),
            Just(RunEvent::Succeeded(ChangeCounts::default())),
        ]
    }

    proptest! {
        #[test]
        fn progress_never_falls_and_is_full_only_at_success(
            events in prop::collection::vec(any_event(), 0..80),
        ) {
            let mut status = queued();
            for event in events {
                let before = status.clone();
                let changed = status.apply(event, at(1));
                prop_assert!(status.progress >= before.progress);
                prop_assert_eq!(status.progress == 100, status.state == RunState::Succeeded);
                prop_assert_eq!(status.revision, before.revision + u64::from(changed));
                prop_assert_eq!(status.running, status.state == RunState::Running);
            }
        }
    }
}
