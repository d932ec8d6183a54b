use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tvmaze_sim::{Dataset, Fault, RateLimit, SimConfig, Simulator};

use crate::wait::TIMEOUT;

/// A fault that keeps a run of [`ten_pages`] in progress: the other nine pages arrive, this one never does.
pub const HANGING_PAGE: &str = "hang@/shows?page=5";

/// The data set of most tests: 2,300 shows on ten index pages, some of them top shows.
pub fn ten_pages() -> Dataset {
    Dataset::synthetic(2300, 1)
}

/// All shows of a data set's index as the simulator serves them.
pub fn served_shows(dataset: &Dataset) -> Vec<Value> {
    let pages = (0..).map_while(|page| dataset.page(page));
    pages.flat_map(|page| serde_json::from_slice::<Vec<Value>>(&page).unwrap()).collect()
}

/// A mock TVmaze server whose scripted faults must all happen.
///
/// A fault that no request has met fails the test when the script is replaced or the simulator is dropped.
#[derive(Debug)]
pub struct ScriptedSimulator {
    /// `None` once stopped.
    simulator: Option<Simulator>,
    script: Mutex<Vec<ScriptedFault>>,
}

#[derive(Debug)]
struct ScriptedFault {
    fault: Fault,
    /// How many requests for its path use it up, counted from the start of the simulator.
    used_at: u64,
}

impl ScriptedSimulator {
    /// Serves [`ten_pages`] with faults such as [`HANGING_PAGE`].
    pub async fn start(faults: &[&str]) -> ScriptedSimulator {
        let simulator = ScriptedSimulator::start_with(ten_pages(), Duration::ZERO).await;
        simulator.set_faults(faults);
        simulator
    }

    /// Serves a data set without faults, each response delayed by `latency`.
    pub async fn start_with(dataset: Dataset, latency: Duration) -> ScriptedSimulator {
        let behaviour = SimConfig { latency, ..SimConfig::default() };
        let simulator = Simulator::start("127.0.0.1:0", dataset, behaviour).await.unwrap();
        ScriptedSimulator { simulator: Some(simulator), script: Mutex::default() }
    }

    /// Replaces the script; removes any latency and rate limit.
    pub fn set_faults(&self, faults: &[&str]) {
        self.assert_all_faults_happened();
        let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        let mut used_at = HashMap::new();
        let scripted = faults.iter().map(|fault| {
            let requests = || self.requests_for(&fault.path);
            let used_at = used_at.entry(&fault.path).or_insert_with(requests);
            *used_at += u64::from(fault.times.unwrap_or(1));
            ScriptedFault { fault: fault.clone(), used_at: *used_at }
        });
        *self.script.lock().unwrap() = scripted.collect();
        self.simulator().set_config(SimConfig { faults, ..SimConfig::default() });
    }

    /// Like [`ScriptedSimulator::set_faults`], for faults that may never happen.
    pub fn set_optional_faults(&self, faults: &[&str]) {
        self.set_faults(faults);
        self.script.lock().unwrap().clear();
    }

    /// Waits until all scripted faults have happened.
    pub async fn wait_for_faults(&self) {
        let poll = async {
            while self.next_fault().is_some() {
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(TIMEOUT, poll).await;
        self.assert_all_faults_happened();
    }

    /// Limits the rate of requests from the next one on.
    pub fn set_limit(&self, limit: RateLimit) {
        self.simulator().set_limit(Some(limit));
    }

    /// Replaces the data set from the next request on.
    pub fn set_dataset(&self, dataset: Dataset) {
        self.simulator().set_dataset(dataset);
    }

    /// The URL that replaces `https://api.tvmaze.com`.
    pub fn base_url(&self) -> String {
        self.simulator().base_url()
    }

    /// How many requests arrived.
    pub fn request_count(&self) -> u64 {
        self.simulator().request_count()
    }

    /// How many requests arrived for a path with its query.
    pub fn requests_for(&self, path: &str) -> u64 {
        self.simulator().requests_for(path)
    }

    /// How many requests the rate limit rejected.
    pub fn rate_limited_count(&self) -> u64 {
        self.simulator().rate_limited_count()
    }

    /// Stops listening.
    pub async fn stop(mut self) {
        self.assert_all_faults_happened();
        self.simulator.take().unwrap().stop().await;
    }

    fn simulator(&self) -> &Simulator {
        self.simulator.as_ref().expect("it runs until `stop`, which consumes it")
    }

    /// A scripted fault that has not happened as often as it should.
    fn next_fault(&self) -> Option<Fault> {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due =
            |scripted: &&ScriptedFault| self.requests_for(&scripted.fault.path) < scripted.used_at;
        script.iter().find(is_due).map(|scripted| scripted.fault.clone())
    }

    fn assert_all_faults_happened(&self) {
        if let Some(fault) = self.next_fault() {
            panic!("the scripted fault {fault} never happened");
        }
    }
}

impl Drop for ScriptedSimulator {
    fn drop(&mut self) {
        if self.simulator.is_some() && !std::thread::panicking() {
            self.assert_all_faults_happened();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "the scripted fault truncate*2@/shows?page=1 never happened")]
    async fn a_fault_that_never_happens_fails_its_test() {
        drop(ScriptedSimulator::start(&["cut*2@/shows?page=1"]).await);
    }

    #[tokio::test]
    #[should_panic(expected = "never happened")]
    async fn a_fault_that_happens_too_rarely_fails_when_the_script_is_replaced() {
        let simulator = ScriptedSimulator::start(&["status:500*2@/shows?page=1"]).await;
        reqwest::get(format!("{}/shows?page=1", simulator.base_url())).await.unwrap();
        simulator.set_faults(&[]);
    }

    #[tokio::test]
    async fn used_and_optional_faults_are_fine() {
        let simulator = ScriptedSimulator::start(&["status:500*1@/shows?page=1"]).await;
        reqwest::get(format!("{}/shows?page=1", simulator.base_url())).await.unwrap();
        simulator.set_optional_faults(&["hang@/shows?page=2"]);
    }
}
