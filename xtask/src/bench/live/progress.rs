//! How far the load test is.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicU64, Ordering},
};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar where stderr is a terminal, else a line for every quarter of the way.
pub struct Progress {
    what: &'static str,
    total: u64,
    done: AtomicU64,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Of so many steps none is done.
    pub fn new(what: &'static str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {msg} {elapsed}, {eta} left");
            ProgressBar::new(total)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_message(what)
        });
        Self { what, total, done: AtomicU64::new(0), bar }
    }

    /// One more step is done.
    pub fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) if done >= self.total => bar.finish(),
            Some(bar) => bar.set_position(done),
            None if done * 4 / self.total > (done - 1) * 4 / self.total => {
                eprintln!("{}: {done} of {}", self.what, self.total);
            }
            None => {}
        }
    }
}
