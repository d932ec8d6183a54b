//! Processes whose clocks differ by minutes.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::process::Command;
use tvshows_testkit::{HANGING_PAGE, RedisServer, Service, SkewedClock, TestEnv, eventually};

use super::Replicas;

/// The offsets of the clocks, in seconds.
const BEHIND: i32 = -120;
const AHEAD: i32 = 120;

/// Services that share a database.
enum Cluster {
    Postgres(Replicas<'static>),
    /// One database file, and one Redis server.
    Sqlite(TestEnv, RedisServer),
}

impl Cluster {
    async fn both(faults: &[&str]) -> [Cluster; 2] {
        let redis = RedisServer::start().await;
        let env = TestEnv::new(faults).await;
        [Cluster::Postgres(Replicas::new(faults).await), Cluster::Sqlite(env, redis)]
    }

    fn env(&self) -> &TestEnv {
        match self {
            Cluster::Postgres(replicas) => &replicas.env,
            Cluster::Sqlite(env, _) => env,
        }
    }

    /// The command that starts a service. Its copy, if it has one, has a name of its own.
    fn command(&self, name: &str) -> Command {
        match self {
            Cluster::Postgres(replicas) => replicas.command(name),
            Cluster::Sqlite(env, redis) => {
                let mut command = env.tvshows(&["serve", "--port", "0"]);
                command.env("REDIS_URL", redis.url());
                command
            }
        }
    }

    /// Starts a service whose clock differs by an offset from that of the system.
    async fn start(&self, clock: &SkewedClock, offset: i32, schedule: &str) -> Service {
        let mut command = self.command(&format!("copy{offset}"));
        command.env("SCHEDULE", schedule);
        clock.apply(&mut command, offset);
        Service::spawn(command).await
    }

    /// The number of seconds by the clock of the server that the lock or the lease depends on.
    async fn seconds(&self) -> u64 {
        let seconds = match self {
            Cluster::Postgres(replicas) => {
                replicas.sql("SELECT floor(extract(epoch FROM clock_timestamp()))").await
            }
            Cluster::Sqlite(_, redis) => redis.cli(&["TIME"]).await,
        };
        seconds.lines().next().unwrap().parse().unwrap()
    }
}

/// A schedule that is due once a day, at the next full minute.
fn at_the_next_minute() -> String {
    let next = Timestamp::now() + Duration::from_mins(1);
    next.strftime("%-M %-H * * *").to_string()
}

async fn runs(service: &Service) -> Vec<Value> {
    service.json("/pipeline/runs").await["runs"].as_array().unwrap().clone()
}

/// Asserts that the next scheduled update is due tomorrow.
async fn assert_done_for_today(service: &Service) {
    let next = service.json("/pipeline/runs").await["next_run_at"].clone();
    let next: Timestamp = next.as_str().unwrap().parse().unwrap();
    let left = next.duration_since(Timestamp::now());
    assert!(left > SignedDuration::from_hours(12), "it is due in {left:#}");
}

/// The service with the fast clock submits the update, and the one with the slow clock works on it, for which it is
/// not yet due.
#[tokio::test]
async fn a_scheduled_update_happens_once_although_clocks_differ() {
    let test = "a_scheduled_update_happens_once_although_clocks_differ";
    let Some(clock) = SkewedClock::compile(test).await else { return };
    for cluster in Cluster::both(&[HANGING_PAGE]).await {
        let slow = cluster.start(&clock, BEHIND, "").await;
        let first = slow.submit_and_stall("?mode=full&top=3").await;
        let schedule = at_the_next_minute();
        let mut fast = cluster.start(&clock, AHEAD, &schedule).await;
        eventually(async || runs(&slow).await.len() == 2).await;
        fast.process.kill().await.unwrap();
        cluster.env().simulator.set_faults(&[]);
        let cancelled = slow.post(&format!("/pipeline/cancel/{first}")).send().await.unwrap();
        assert_eq!(cancelled.status(), 202);
        let run = runs(&slow).await[0]["request_id"].as_str().unwrap().to_owned();
        let status = slow.wait_for_end(&run).await;
        assert_eq!(
            (&status["state"], &status["trigger"]),
            (&json!("succeeded"), &json!("schedule"))
        );
        assert!(status["started_at"].as_str() < status["steps"][0]["started_at"].as_str());
        drop(slow);

        for offset in [AHEAD, 0, BEHIND] {
            let service = cluster.start(&clock, offset, &schedule).await;
            assert_done_for_today(&service).await;
            assert_eq!(runs(&service).await.len(), 2, "{offset}");
        }
    }
}

/// Takes 20 s: longer than locks and leases last.
#[tokio::test]
async fn a_run_is_not_taken_over_by_a_process_with_another_clock() {
    let test = "a_run_is_not_taken_over_by_a_process_with_another_clock";
    let Some(clock) = SkewedClock::compile(test).await else { return };
    let keeps_its_run = async |cluster: Cluster, owner: i32, other: i32| {
        let others = [cluster.start(&clock, other, "").await, cluster.start(&clock, 0, "").await];
        let owner = cluster.start(&clock, owner, "").await;
        let run = owner.submit_and_stall("?mode=full").await;
        let start = cluster.seconds().await;
        eventually(async || cluster.seconds().await > start + 18).await;
        cluster.env().simulator.set_faults(&[]);
        let ends = [&owner, &others[0], &others[1]].map(|service| service.wait_for_end(&run));
        for status in futures::future::join_all(ends).await {
            assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(1)));
        }
        assert_eq!(cluster.env().simulator.requests_for("/shows?page=0"), 1);
        assert_eq!(runs(&owner).await.len(), 1);
    };
    let [postgres, sqlite] = Cluster::both(&[HANGING_PAGE]).await;
    let [other_postgres, other_sqlite] = Cluster::both(&[HANGING_PAGE]).await;
    tokio::join!(
        keeps_its_run(postgres, BEHIND, AHEAD),
        keeps_its_run(sqlite, BEHIND, AHEAD),
        keeps_its_run(other_postgres, AHEAD, BEHIND),
        keeps_its_run(other_sqlite, AHEAD, BEHIND),
    );
}
