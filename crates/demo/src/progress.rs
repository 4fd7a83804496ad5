//! How far the load is.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// Told of every table as it is loaded.
pub trait Progress: Send + Sync {
    /// This many rows went into the table; of `total` steps `done` are done.
    fn table(&self, table: &str, rows: u64, done: u64, total: u64);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn table(&self, _: &str, _: u64, _: u64, _: u64) {}
}

/// A bar where stderr is a terminal, else a line for every tenth of the way.
#[derive(Debug)]
pub struct Bar {
    bar: Option<ProgressBar>,
    rows: AtomicU64,
}

impl Bar {
    /// A bar that has not begun.
    #[must_use]
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:32} {percent:>3} % {msg} {elapsed}");
            ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, rows: AtomicU64::new(0) }
    }
}

impl Default for Bar {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Bar {
    fn table(&self, table: &str, rows: u64, done: u64, total: u64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(done);
            bar.set_message(format!("{rows} rows, {table}"));
            if done >= total {
                bar.finish_with_message(format!("{rows} rows"));
            }
        } else if done * 10 / total.max(1) > done.saturating_sub(1) * 10 / total.max(1) {
            eprintln!("demo data: {:>3} %, {rows} rows", done * 100 / total.max(1));
        }
    }
}
