//! What is logged, as an operator would read it.

use std::{
    io::{self, Write},
    sync::Arc,
};

use parking_lot::Mutex;
use tracing::subscriber::DefaultGuard;

/// What this thread logs as long as this is kept: all of a test, whose tasks share its thread.
pub struct Log {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Begins to listen.
    pub fn listen() -> Self {
        let text = Arc::<Mutex<Vec<u8>>>::default();
        let heard = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter("aether_server=info,aether_graphql=info,aether_store=info,aether_query=info")
            .with_ansi(false)
            .with_writer(move || Writer(heard.clone()))
            .finish();
        Self { text, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines that say this.
    pub fn lines(&self, what: &str) -> Vec<String> {
        let text = String::from_utf8(self.text.lock().clone()).expect("text");
        text.lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
    }
}
