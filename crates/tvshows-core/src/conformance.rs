//! One suite per port: the promises that every backend keeps.
//!
//! A backend's tests call `store_conformance!(new)`, `run_lock_conformance!(new)` or
//! `progress_tracker_conformance!(new)`. The argument is an async function that creates an empty instance
//! and returns something that dereferences to it. Each promise becomes a test with the same name.

pub mod catalog;
pub mod details;
pub mod fixtures;
pub mod progress_tracker;
pub mod run_lock;
pub mod run_queue;
pub mod run_session;

use crate::{Catalog, RunLock, RunQueue};

/// A backend that holds shows and runs, and the lock of its runs.
pub trait Store: Catalog + RunQueue + RunLock {}

impl<T: Catalog + RunQueue + RunLock> Store for T {}

/// Writes a `#[tokio::test]` for each promise of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($suite:ident, $new:path: $($promise:ident)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let instance = $new().await;
                $crate::conformance::$suite::$promise(&*instance).await;
            }
        )+
    };
}

/// The tests of every [`ProgressTracker`](crate::ProgressTracker).
#[macro_export]
macro_rules! progress_tracker_conformance {
    ($new:path) => {
        $crate::conformance_tests! { progress_tracker, $new:
            an_unknown_run_has_no_status
            a_published_status_is_read_back
            a_late_revision_changes_nothing
            a_stale_attempt_changes_nothing
            nothing_follows_the_end
            an_interrupted_run_may_resume
            runs_do_not_touch_each_other
        }
    };
}

/// The tests of every [`RunLock`](crate::RunLock).
#[macro_export]
macro_rules! run_lock_conformance {
    ($new:path) => {
        $crate::conformance_tests! { run_lock, $new:
            one_holder_at_a_time
            a_dead_holder_is_evicted
            a_holder_that_lost_the_lock_cannot_renew_it
        }
    };
}

/// The tests of every backend that is a [`Catalog`], a [`RunQueue`] and a [`RunLock`].
#[macro_export]
macro_rules! store_conformance {
    ($new:path) => {
        $crate::run_lock_conformance! { $new }
        $crate::conformance_tests! { catalog, $new:
            each_publish_is_another_snapshot
            an_unchanged_publish_keeps_the_snapshot
            lists_are_sorted_with_unknown_values_last
            pages_of_any_size_make_up_the_whole_list
            a_list_read_on_after_a_publish_has_each_unchanged_show_once
            filters_hold_together_and_ignore_case
            facets_are_counted_within_the_other_filters
            a_total_is_that_of_the_whole_list_on_every_page
            an_unmatched_filter_has_suggestions
            a_search_finds_words_in_any_case_and_accent_names_first
            a_search_finds_words_without_their_punctuation
            a_show_is_found_by_its_external_ids
            a_search_knows_what_is_published_and_nothing_else
            a_search_can_be_read_on
            a_cast_is_given_as_it_is_stored
            shows_are_counted
            an_empty_list_ends
        }
        $crate::conformance_tests! { details, $new:
            details_are_seen_with_the_snapshot
            episodes_are_found_by_their_keys
            an_episode_of_two_shows_is_that_of_the_first
            details_stay_until_others_are_staged_or_the_show_is_not_chosen
            staged_details_survive_an_interruption
            unchanged_details_keep_the_snapshot
            a_filter_chooses_from_the_next_snapshot
            a_facet_that_is_no_text_is_missing
            a_schedule_has_the_episodes_of_its_days_and_shows
        }
        $crate::conformance_tests! { run_queue, $new:
            requests_with_equal_parameters_share_a_run
            runs_wait_in_the_order_of_their_requests
            the_data_has_one_name
            a_noted_run_is_in_the_history_and_disturbs_no_other
            history_is_newest_first
            a_running_run_is_interrupted_once_its_lock_is_free
            a_running_run_is_interrupted_once_another_process_has_its_lock
            a_run_with_a_lease_alone_is_not_interrupted_by_a_free_lock
        }
        $crate::conformance_tests! { run_session, $new:
            an_empty_store_answers_with_nothing
            nothing_is_seen_before_publish
            a_published_show_is_the_one_that_was_staged
            publish_replaces_what_was_there
            what_is_kept_stays_beside_what_is_staged_and_without_what_is_dropped
            a_top_show_keeps_its_cast_until_another_is_staged
            an_abandoned_run_changes_nothing_but_the_history
            the_later_update_of_a_show_stays
            a_show_fetched_by_itself_replaces_the_staged_one
            a_later_page_replaces_an_equally_new_version
            a_dropped_show_is_not_published
            ranks_the_snapshot
            ranks_what_is_kept_with_what_is_staged
            casts_keep_their_order_and_count_characters_by_person
            a_new_run_starts_from_an_empty_staging_area
            a_run_reuses_the_details_that_a_failed_one_staged
            a_run_reuses_the_shows_that_a_failed_incremental_one_staged
            what_a_canceled_run_staged_is_not_reused
            a_full_run_reuses_nothing
            an_interrupted_run_resumes_with_what_it_staged
            staged_data_can_be_discarded
            what_is_staged_is_noted_with_the_status
            attempts_are_counted_until_one_stages_something_or_stops
            an_earlier_attempt_and_an_ended_run_write_nothing
            a_repeated_write_changes_nothing_more
        }
    };
}

#[cfg(test)]
mod tests {
    /// No backend would test a promise that is missing from the macros.
    #[test]
    fn every_promise_is_listed() {
        let listed = include_str!("conformance.rs");
        let suites = [
            include_str!("conformance/catalog.rs"),
            include_str!("conformance/details.rs"),
            include_str!("conformance/progress_tracker.rs"),
            include_str!("conformance/run_lock.rs"),
            include_str!("conformance/run_queue.rs"),
            include_str!("conformance/run_session.rs"),
        ];
        let promises = suites.iter().flat_map(|suite| suite.lines()).filter_map(|line| {
            line.strip_prefix("pub async fn ").and_then(|line| line.split('(').next())
        });
        for promise in promises {
            assert!(listed.lines().any(|line| line.trim() == promise), "{promise} is not listed");
        }
    }
}
