#![doc = include_str!("../README.md")]
#![expect(clippy::missing_errors_doc, reason = "most error types say what can fail")]

mod attempt;
mod cancel;
mod clock;
mod convert;
mod details;
mod error;
mod full_fetch;
mod incremental_fetch;
mod incremental_plan;
mod individual_fetch;
mod local_runs;
mod malformed_shows;
mod metrics;
mod pipeline;
mod recovery;
mod remote_runs;
mod run_context;
mod run_log;
mod run_ownership;
mod run_plan;
mod run_progress;
mod runner;
mod runner_config;
mod schedule;
mod scheduler;
mod storage_retry;
mod submission;
mod tasks;
mod tracker_sync;
mod updates;
mod verify;
mod worker;

pub use cancel::{CancelError, Cancelled, cancel_stored};
pub use error::{RunError, error_chain};
pub use pipeline::{DEFAULT_MAX_AGE, DEFAULT_MAX_DETAILS, Pipeline};
pub use recovery::cancel_interrupted;
pub use run_log::{RunLog, RunLogLine, RunLogLines};
pub use run_plan::{PlanError, RunPlan};
pub use runner::Runner;
pub use runner_config::{OnRunEnd, RunnerConfig, RunnerRole};
pub use schedule::{Schedule, ScheduleError};
pub use submission::{QUEUE_CAPACITY, Submission, SubmissionKind, SubmitError};
pub use tvmaze_client::plain_text;
pub use verify::{DriftReport, verify};
