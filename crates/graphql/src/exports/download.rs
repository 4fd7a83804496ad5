//! Downloading: rows are read, made into a file and handed on, a portion at a time.

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use aether_application::exports::{self, Download, Encoder, Outcome, Progress};
use aether_entity::sea_orm_active_enums::RowFormat;
use aether_store::{
    Error, Result, Store, counting,
    read::{Portion, Reader, TakesPortions},
    write::Executor,
};
use async_graphql::ServerError;
use chrono::{DateTime, FixedOffset};
use futures::future::BoxFuture;
use sha2::{Digest, Sha256};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::mpsc,
};
use uuid::Uuid;

use super::plan::{Planned, named};
use crate::{Asker, Schema, error};

/// How many portions wait for whoever downloads.
const WAITING: usize = 2;
/// How long a download waits for whoever takes it.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often it is noted how far a download has come.
const NOTED: Duration = Duration::from_secs(1);

/// A file that is being downloaded.
pub struct File {
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its beginning.
    pub first: Vec<u8>,
    /// What follows. It ends with an error where the file is not complete.
    pub rest: mpsc::Receiver<Result<Vec<u8>, ()>>,
}

impl Schema {
    /// Downloads a file, for whoever has the token of its address: as the session that has asked for it.
    pub async fn download(&self, asker: Asker, export: Uuid, token: &str) -> Result<File, ServerError> {
        let session = asker.sessions.of_download_token(export, token).map_err(error::nowhere)?;
        let reader = Arc::new(asker.store.reader(Ok(Some(session))));
        let executor =
            Executor::new(asker.store.clone(), reader.clone(), asker.client, asker.sessions.encryption().clone());
        let Download { question, requested_at, began_at, .. } =
            executor.run(exports::begin(export)).await.map_err(error::nowhere)?;
        let (first, mut begun) = mpsc::channel(1);
        let (to, rest) = mpsc::channel(WAITING);
        let taker = Taker {
            store: asker.store,
            of: (export, session),
            began_at,
            first: Some(first),
            to,
            encoder: None,
            out: Vec::new(),
            digest: Sha256::new(),
            progress: Progress::default(),
            noted: Instant::now(),
            is_gone: false,
        };
        let (name, planned) = match Planned::new(&self.0.compiler, &self.0.limits, &question) {
            Ok(planned) => (planned.name.clone(), Ok(planned)),
            // The schema, or what the organization has, is another by now.
            Err(error) => (String::new(), Err(error)),
        };
        let (name, media_type) = named(&name, requested_at, &question.format);
        tokio::spawn(counting(taker.run(reader, executor, planned, question.format)));
        match begun.recv().await {
            Some(Ok(first)) => Ok(File { name, media_type, first, rest }),
            Some(Err(error)) => Err(error::nowhere(error)),
            None => Err(error::nowhere(Error::internal("a download that has not begun"))),
        }
    }
}

/// Who makes a file of what is read, and hands it on.
struct Taker {
    store: Store,
    /// The export, and the session that downloads it.
    of: (Uuid, Uuid),
    began_at: DateTime<FixedOffset>,
    /// Where its beginning goes, or why there is none; none once it has gone.
    first: Option<mpsc::Sender<Result<Vec<u8>>>>,
    /// Where what follows goes.
    to: mpsc::Sender<Result<Vec<u8>, ()>>,
    encoder: Option<Encoder>,
    out: Vec<u8>,
    digest: Sha256,
    progress: Progress,
    noted: Instant,
    /// Whether nobody takes it any more.
    is_gone: bool,
}

impl Taker {
    /// Makes the whole file, and tells how that ended.
    async fn run(mut self, reader: Arc<Reader>, executor: Executor, planned: Result<Planned>, format: RowFormat) {
        let made = match planned {
            Ok(Planned { fetch, columns, .. }) => match Encoder::begin(&format, columns, &mut self.out) {
                Ok(encoder) => {
                    self.encoder = Some(encoder);
                    // Boxed: it is large, and moved around.
                    reader.run(Box::pin(reader.stream(&fetch, &mut self))).await
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let made = match made {
            Ok(()) => self.end().await,
            Err(error) => Err(error),
        };
        let (outcome, error) = match made {
            Ok(()) => (Outcome::Completed { sha256: format!("{:x}", self.digest.clone().finalize()) }, None),
            Err(_) if self.is_gone => (Outcome::Cancelled, None),
            Err(error) => (Outcome::Failed(error::nowhere(error.clone()).message), Some(error)),
        };
        let ((export, _), began_at) = (self.of, self.began_at);
        if let Err(error) = executor.run(exports::finish(export, began_at, self.progress, outcome)).await {
            let why = error::nowhere(error).message;
            if self.store.fail_export(export, began_at, &why).await.is_err() {
                tracing::warn!("the end of a download could not be noted");
            }
        }
        // Told last: whoever hears of it and looks finds it noted.
        match (error, self.first.take()) {
            (Some(error), Some(first)) => _ = first.send(Err(error)).await,
            (Some(_), None) => _ = self.to.send(Err(())).await,
            (None, _) => {}
        }
    }

    /// Makes what the file ends with.
    async fn end(&mut self) -> Result<()> {
        if let Some(encoder) = self.encoder.take() {
            beside(|| encoder.end(&mut self.out))?;
        }
        self.hand_on().await
    }

    /// Hands on what there is.
    async fn hand_on(&mut self) -> Result<()> {
        let bytes = mem::take(&mut self.out);
        self.digest.update(&bytes);
        self.progress.bytes += bytes.len() as u64;
        if let Some(first) = self.first.take() {
            self.is_gone = first.send(Ok(bytes)).await.is_err();
        } else if !bytes.is_empty() {
            match tokio::time::timeout(PATIENCE, self.to.send(Ok(bytes))).await {
                Ok(sent) => self.is_gone = sent.is_err(),
                Err(_) => {
                    return Err(Error::Precondition(format!(
                        "Nothing of the file was taken for {} seconds. Ask for it again, and download it at once.",
                        PATIENCE.as_secs()
                    )));
                }
            }
        }
        if self.is_gone { Err(Error::Stopped) } else { Ok(()) }
    }

    async fn add(&mut self, portion: Portion) -> Result<()> {
        let Portion { json, rows, total } = portion;
        if let Some(encoder) = &mut self.encoder {
            beside(|| encoder.rows(json, &mut self.out))?;
        }
        self.progress.total = Some(total);
        self.progress.rows += rows;
        self.hand_on().await?;
        if self.noted.elapsed() > NOTED {
            self.noted = Instant::now();
            let progress = (self.progress.rows, total);
            if !self.store.note_export(self.of, self.began_at, progress, self.progress.bytes).await? {
                return Err(Error::Unauthenticated("The session has ended, and its downloads with it.".into()));
            }
        }
        Ok(())
    }
}

impl TakesPortions for Taker {
    fn take(&mut self, portion: Portion) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.add(portion))
    }
}

/// Does something that takes its time; meanwhile other threads see to whoever else is there.
fn beside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
