//! Compares the adaptive rate limit with the ideal, against the simulator: `cargo bench --bench
//! rate_limit`. Takes about five minutes, nearly all of them waiting.
//!
//! The ideal time is that of a client that knows the limit and never idles: the number of calls that
//! reach the origin, less the burst, divided by the rate.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures::future::{try_join_all, try_join5};
use tvmaze_client::{Client, RateLimit, ShowId};
use tvmaze_sim::{Dataset, SimConfig, Simulator};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const CALLS: u32 = 371;
/// TVmaze's documented limit: 20 calls every 10 seconds.
const BURST: u32 = 20;
const RATE: f64 = 2.0;
const PER: Duration = Duration::from_secs(10);
/// Calls per round, and rounds, of the scenario without a limit.
const UNLIMITED_CALLS: u32 = 20_000;
const ROUNDS: usize = 7;

#[tokio::main]
async fn main() -> Result<()> {
    println!("{:34} {:>8} {:>8} {:>6} {:>8}", "", "seconds", "ideal", "ratio", "429s");
    without_limit().await?;
    let (steady, retry_after, cached, cached_retry_after, (halved, doubled)) = try_join5(
        steady("20 calls / 10 s", false),
        steady("the same, with Retry-After", true),
        mostly_cached("90 % cached", false),
        mostly_cached("the same, with Retry-After", true),
        async {
            futures::try_join!(changing("halved midway", 0.5), changing("doubled midway", 2.0))
        },
    )
    .await?;
    for report in [steady, retry_after, cached, cached_retry_after, halved, doubled] {
        println!("{report}");
    }
    Ok(())
}

struct Report {
    scenario: &'static str,
    seconds: f64,
    ideal: f64,
    throttled: u64,
    requests: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { scenario, seconds, ideal, throttled, requests } = self;
        let ratio = seconds / ideal;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
        let share = 100.0 * *throttled as f64 / *requests as f64;
        write!(f, "{scenario:34} {seconds:8.2} {ideal:8.2} {ratio:6.3} {throttled:3} {share:3.1}%")
    }
}

/// A simulator, a client with the adaptive limit, and the ids of all shows.
struct TestEnv {
    simulator: Simulator,
    client: Client,
    ids: Vec<ShowId>,
}

impl TestEnv {
    async fn new() -> Result<TestEnv> {
        let dataset = Dataset::synthetic(2_000, 1);
        let simulator = Simulator::start("127.0.0.1:0", dataset, SimConfig::default()).await?;
        let ids = client(&simulator, RateLimit::Adaptive)?.show_updates(None).await?;
        let ids = ids.into_iter().map(|(id, _)| id).collect();
        let client = client(&simulator, RateLimit::Adaptive)?;
        Ok(TestEnv { simulator, client, ids })
    }

    /// Sends all calls concurrently. After each one, `on_completed` gets the number of completed calls.
    async fn measure(
        &self,
        scenario: &'static str,
        ids: impl Iterator<Item = ShowId>,
        ideal: f64,
        on_completed: impl Fn(u32),
    ) -> Result<Report> {
        let before = self.client.stats();
        let (started, count) = (Instant::now(), AtomicU32::new(0));
        let (on_completed, count) = (&on_completed, &count);
        let calls = ids.map(|id| async move {
            self.client.show(id).await?;
            on_completed(count.fetch_add(1, Ordering::Relaxed) + 1);
            Ok::<_, tvmaze_client::Error>(())
        });
        let completed = try_join_all(calls).await?.len();
        assert_eq!(completed, CALLS as usize, "no call is lost");
        let stats = self.client.stats();
        Ok(Report {
            scenario,
            seconds: started.elapsed().as_secs_f64(),
            ideal,
            throttled: stats.rate_limited - before.rate_limited,
            requests: stats.requests - before.requests,
        })
    }

    fn new_ids(&self) -> impl Iterator<Item = ShowId> {
        self.ids.iter().copied().take(CALLS as usize)
    }
}

fn client(simulator: &Simulator, limit: RateLimit) -> Result<Client> {
    Ok(Client::builder().base_url(simulator.base_url()).rate_limit(limit).build()?)
}

fn limit(rate: f64) -> tvmaze_sim::RateLimit {
    let per = PER.mul_f64(RATE / rate);
    tvmaze_sim::RateLimit { calls: BURST, per, retry_after: false, exempt_cached: false }
}

async fn steady(scenario: &'static str, retry_after: bool) -> Result<Report> {
    let env = TestEnv::new().await?;
    env.simulator.set_limit(Some(tvmaze_sim::RateLimit { retry_after, ..limit(RATE) }));
    let ideal = f64::from(CALLS - BURST) / RATE;
    env.measure(scenario, env.new_ids(), ideal, |_| {}).await
}

/// Every tenth call is for a show that is not in the cache.
async fn mostly_cached(scenario: &'static str, retry_after: bool) -> Result<Report> {
    let env = TestEnv::new().await?;
    let limit = tvmaze_sim::RateLimit { retry_after, exempt_cached: true, ..limit(RATE) };
    env.simulator.set_limit(Some(limit));
    let (cached, uncached) = env.ids.split_at(BURST as usize);
    let warmup = client(&env.simulator, RateLimit::Unlimited)?;
    for id in cached {
        warmup.show(*id).await?;
    }
    tokio::time::sleep(PER).await;
    let ids = (0..CALLS as usize).map(|call| match call % 10 {
        0 => uncached[call / 10],
        _ => cached[call % cached.len()],
    });
    let ideal = f64::from(CALLS.div_ceil(10) - BURST) / RATE;
    env.measure(scenario, ids, ideal, |_| {}).await
}

async fn changing(scenario: &'static str, factor: f64) -> Result<Report> {
    let env = TestEnv::new().await?;
    env.simulator.set_limit(Some(limit(RATE)));
    let half = CALLS / 2;
    let ideal = f64::from(half - BURST) / RATE + f64::from(CALLS - half) / (RATE * factor);
    let change = |completed| {
        if completed == half {
            env.simulator.set_limit(Some(limit(RATE * factor)));
        }
    };
    env.measure(scenario, env.new_ids(), ideal, change).await
}

/// Medians of alternating rounds. The time of `Unlimited` is the ideal.
async fn without_limit() -> Result<()> {
    let env = TestEnv::new().await?;
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (limit, seconds) in [RateLimit::Adaptive, RateLimit::Unlimited].iter().zip(&mut seconds)
        {
            let client = client(&env.simulator, *limit)?;
            let ids = env.ids.iter().cycle().take(UNLIMITED_CALLS as usize);
            let started = Instant::now();
            try_join_all(ids.map(|id| client.show(*id).send())).await?;
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    let [seconds, ideal] = seconds.map(|mut seconds| {
        seconds.sort_by(f64::total_cmp);
        seconds[ROUNDS / 2]
    });
    let (scenario, requests) = ("no limit, compared with Unlimited", u64::from(UNLIMITED_CALLS));
    println!("{}", Report { scenario, seconds, ideal, throttled: 0, requests });
    Ok(())
}
