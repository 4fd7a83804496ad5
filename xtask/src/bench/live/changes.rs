//! The changes: at a steady pace over all workspaces, one after another in each.

use std::{
    sync::{Arc, atomic::AtomicI64, atomic::Ordering},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep_until},
};

use super::{progress::Progress, socket};
use crate::bench::programs::Server;

const EDIT: &str = "mutation Edit($id: UUID!, $version: Int!, $title: String!) {
    editClause(id: $id, expectedVersion: $version, input: { title: $title }, reason: \"Benchmark\") { rowVersion } }";

/// A change that was acknowledged; times in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// When its request was sent.
    pub sent: u64,
    /// When its answer had come.
    pub answered: u64,
}

/// Whose changes subscribers are told of.
pub enum Source {
    /// Clauses of the gateway's workspaces.
    Gateway { http: reqwest::Client, url: String, authorization: String, clauses: Vec<Clause> },
    /// The baseline's channels, each of which is sent this message under rising numbers.
    Baseline { http: reqwest::Client, url: String, message: String, next: Vec<AtomicI64> },
}

/// A clause that is edited.
pub struct Clause {
    pub id: String,
    pub version: AtomicI64,
}

/// How many requests are under way at once: a gateway that cannot keep the pace is to be measured slower, not run over.
const AT_ONCE: usize = 16;

/// Numbers of a channel of the baseline: each has as many of its own.
pub const NUMBERS: i64 = 1_000_000;

impl Source {
    pub fn gateway(server: &Server, authorization: &str, clauses: Vec<Clause>) -> Self {
        let url = format!("http://{}/graphql", server.address);
        Self::Gateway { http: reqwest::Client::new(), url, authorization: authorization.to_owned(), clauses }
    }

    pub fn baseline(server: &Server, message: &str, channels: usize) -> Self {
        let url = format!("http://{}/broadcast", server.address);
        let next = (0..channels as i64).map(|channel| AtomicI64::new(channel * NUMBERS)).collect();
        Self::Baseline { http: reqwest::Client::new(), url, message: message.to_owned(), next }
    }

    fn places(&self) -> usize {
        match self {
            Self::Gateway { clauses, .. } => clauses.len(),
            Self::Baseline { next, .. } => next.len(),
        }
    }

    /// The number that each channel of the baseline had last.
    pub fn last(&self) -> Vec<i64> {
        match self {
            Self::Gateway { .. } => Vec::new(),
            Self::Baseline { next, .. } => next.iter().map(|next| next.load(Ordering::Relaxed) - 1).collect(),
        }
    }

    /// Makes a change in one of the places, and returns when it is acknowledged.
    pub async fn change(&self, place: usize) -> Result<Change> {
        match self {
            Self::Gateway { http, url, authorization, clauses } => {
                let clause = &clauses[place];
                let version = clause.version.load(Ordering::Relaxed);
                let title = format!("1. Undertakings and representations, draft {version}");
                let variables = json!({ "id": clause.id, "version": version, "title": title });
                let request = http.post(url).header("Authorization", authorization);
                let request = request.json(&json!({ "query": EDIT, "variables": variables }));
                let sent = socket::now();
                let answer: Value = request.send().await?.json().await?;
                let answered = socket::now();
                let Some(now) = answer.pointer("/data/editClause/rowVersion").and_then(Value::as_i64) else {
                    bail!("an edit failed: {answer}");
                };
                ensure!(now > version, "an edit has changed nothing: {answer}");
                clause.version.store(now, Ordering::Relaxed);
                Ok(Change { sent, answered })
            }
            Self::Baseline { http, url, message, next } => {
                let body = socket::renumbered(message, next[place].fetch_add(1, Ordering::Relaxed))?;
                let request = http.post(format!("{url}/{place}")).body(body);
                let sent = socket::now();
                request.send().await?.error_for_status()?.bytes().await?;
                Ok(Change { sent, answered: socket::now() })
            }
        }
    }

    /// Changes every place so often, `rate` times a second together, and tells by place what was acknowledged.
    pub async fn run(self: &Arc<Self>, rate: f64, times: u64, what: &'static str) -> Result<Vec<Vec<Change>>> {
        let places = self.places();
        let progress = Arc::new(Progress::new(what, places as u64 * times));
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        let begin = Instant::now() + Duration::from_millis(100);
        let tasks = (0..places).map(|place| {
            let (source, progress, turns) = (self.clone(), progress.clone(), turns.clone());
            tokio::spawn(async move {
                let mut changes = Vec::new();
                for time in 0..times {
                    // One that is late makes the next ones late only as long as it takes.
                    let turn = (time * places as u64 + place as u64) as f64 / rate;
                    sleep_until(begin + Duration::from_secs_f64(turn)).await;
                    let _turn = turns.acquire().await?;
                    changes.push(source.change(place).await?);
                    progress.step();
                }
                Ok::<_, anyhow::Error>(changes)
            })
        });
        try_join_all(tasks).await.context("a client that failed")?.into_iter().collect()
    }
}
