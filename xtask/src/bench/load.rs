//! The load generators.

use std::process::Stdio;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Command;

/// How many connections ask at once.
pub const CONNECTIONS: u32 = 8;

const WRK_SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bench/wrk.lua");

/// A load generator that is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generator {
    /// <https://github.com/wg/wrk>
    Wrk,
    /// <https://github.com/hatoo/oha>
    Oha,
}

/// A request to be sent over and over.
pub struct Request {
    /// Over how many connections at once.
    pub connections: u32,
    /// Where to.
    pub url: String,
    /// Its JSON.
    pub body: String,
    /// Its `Authorization` header.
    pub authorization: String,
    /// How many bytes the answer has.
    pub answer_bytes: usize,
}

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Requests per second.
    pub rate: f64,
    /// The median of the answer times, milliseconds.
    pub p50: f64,
    /// The time within which 99 % of the answers came, milliseconds.
    pub p99: f64,
}

impl Generator {
    /// Finds one: wrk, or else oha.
    pub async fn find() -> Result<Self> {
        for (program, generator) in [("wrk", Self::Wrk), ("oha", Self::Oha)] {
            let probe = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            if probe.await.is_ok() {
                return Ok(generator);
            }
        }
        bail!(
            "No load generator is on the PATH: install wrk (`apt install wrk`, `brew install wrk`) or oha (`cargo install oha`)."
        )
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wrk => "wrk",
            Self::Oha => "oha",
        }
    }

    /// Sends the request for so many seconds. An answer that is none, or shorter than it must be, is an error: failing
    /// fast is no speed.
    pub async fn run(self, request: &Request, seconds: u64) -> Result<Sample> {
        let duration = format!("{seconds}s");
        let connections = request.connections.to_string();
        let mut command = Command::new(self.name());
        match self {
            Self::Wrk => command
                .args(["-t1", "-c", &connections, "-d", &duration, "--timeout", "30s", "-s", WRK_SCRIPT, &request.url])
                .env("BENCH_BODY", &request.body)
                .env("BENCH_AUTHORIZATION", &request.authorization),
            Self::Oha => command
                .args(["--no-tui", "--output-format", "json", "-c", &connections, "-z", &duration, "-m", "POST"])
                .args(["-T", "application/json", "-H", &format!("Authorization: {}", request.authorization)])
                .args(["-d", &request.body, &request.url]),
        };
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let failed = || format!("{} failed: {text}{}", self.name(), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), failed());
        // wrk prints figures of its own before the script's line.
        let json = text.find('{').map(|start| &text[start..]).with_context(failed)?;
        let json: Value = serde_json::from_str(json).with_context(failed)?;
        let figure = |pointer: &str| json.pointer(pointer).and_then(Value::as_f64).with_context(failed);
        let (sample, size, errors) = match self {
            Self::Wrk => {
                let requests = figure("/requests")?;
                let sample =
                    Sample { rate: requests / figure("/seconds")?, p50: figure("/p50")?, p99: figure("/p99")? };
                (sample, figure("/bytes")? / requests, figure("/errors")?)
            }
            Self::Oha => {
                let percentile =
                    |name: &str| Ok::<_, anyhow::Error>(figure(&format!("/latencyPercentiles/{name}"))? * 1e3);
                // Requests cut off by the end count in oha's own rate, not here.
                let rate = figure("/statusCodeDistribution/200")? / figure("/summary/total")?;
                let sample = Sample { rate, p50: percentile("p50")?, p99: percentile("p99")? };
                let statuses = json["statusCodeDistribution"].as_object().with_context(failed)?;
                let errors = statuses.keys().filter(|status| *status != "200").count();
                (sample, figure("/summary/sizePerRequest")?, errors as f64 + 1.0 - figure("/summary/successRate")?)
            }
        };
        ensure!(sample.rate > 0.0, "{} had no answer from {} in {seconds} s", self.name(), request.url);
        ensure!(errors == 0.0, "{} had errors from {}: {text}", self.name(), request.url);
        ensure!(
            size >= request.answer_bytes as f64,
            "{} answered with {size:.0} bytes on average instead of {}",
            request.url,
            request.answer_bytes
        );
        Ok(sample)
    }
}
