use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

/// The results of a `wrk` run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WrkResult {
    pub(crate) requests: f64,
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Sends requests to `url`, or those of a Lua `script`, as fast as the connections allow.
pub(crate) fn run(
    url: &str,
    connections: u32,
    seconds: u32,
    script: Option<&Path>,
) -> anyhow::Result<WrkResult> {
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--latency", "--connections", &connections.to_string()]);
    wrk.args(["--duration", &format!("{seconds}s")]);
    if let Some(script) = script {
        wrk.arg("--script").arg(script);
    }
    let output = wrk.arg(url).output().context("cannot run wrk; `make bench` installs it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
    ensure!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{url}: {text}");
    parse(&text)
}

fn parse(text: &str) -> anyhow::Result<WrkResult> {
    let field = |label: &str, index: usize| {
        let line = text.lines().map(str::trim).find(|line| line.contains(label));
        line.and_then(|line| line.split_whitespace().nth(index)).with_context(|| text.to_owned())
    };
    Ok(WrkResult {
        requests: field(" requests in ", 0)?.parse()?,
        requests_per_second: field("Requests/sec:", 1)?.parse()?,
        p50_ms: parse_milliseconds(field("50%", 1)?)?,
        p99_ms: parse_milliseconds(field("99%", 1)?)?,
    })
}

fn parse_milliseconds(text: &str) -> anyhow::Result<f64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let factor = match &text[digits.len()..] {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1000.0,
        other => bail!("`{other}` is not a unit of time"),
    };
    Ok(digits.parse::<f64>()? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_wrk_is_parsed() {
        let text = "Running 2s test @ http://127.0.0.1:1\n  1 threads and 32 connections\n  \
                    Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
                    Latency   512.41us    1.02ms  25.36ms   97.11%\n    \
                    Req/Sec    81.28k     9.77k   92.91k    90.48%\n  Latency Distribution\n     \
                    50%  363.00us\n     75%  401.00us\n     90%  513.00us\n     99%    5.09ms\n  \
                    169829 requests in 2.10s, 127.94MB read\nRequests/sec:  80871.31\n";
        let result = parse(text).unwrap();
        assert!((result.requests - 169_829.0).abs() < 0.1);
        assert!((result.requests_per_second - 80_871.31).abs() < 0.1);
        assert!((result.p99_ms - 5.09).abs() < 0.001);
    }
}
