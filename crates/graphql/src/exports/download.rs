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
    read::{Portion, Reader, Streaming, TakesPortions},
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

/// How many pieces wait for whoever downloads, and how large they are: what waits is not taken yet.
const WAITING: usize = 2;
const PIECE: usize = 64 * 1024;
/// How long a download waits for whoever takes it.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long a download may take: as long its snapshot keeps PostgreSQL from tidying up.
const LONGEST: Duration = Duration::from_secs(3_600);
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

/// What a download begins with.
struct First {
    name: String,
    media_type: &'static str,
    piece: Vec<u8>,
}

impl Schema {
    /// Downloads a file, for whoever has the token of its address: as the session that has asked for it.
    pub async fn download(&self, asker: Asker, export: Uuid, token: &str) -> Result<File, ServerError> {
        let session = asker.sessions.of_download_token(export, token).map_err(error::nowhere)?;
        let (first, mut begun) = mpsc::channel(1);
        let (to, rest) = mpsc::channel(WAITING);
        // By itself: what has begun is ended and told, also where nobody waits for it any more.
        tokio::spawn(carry_out(self.clone(), asker, (export, session), first, to));
        match begun.recv().await {
            Some(Ok(First { name, media_type, piece })) => Ok(File { name, media_type, first: piece, rest }),
            Some(Err(error)) => Err(error::nowhere(error)),
            None => Err(error::nowhere(Error::internal("a download that has not begun"))),
        }
    }
}

/// Carries a download out. What the user may do at once is used by its beginning and its end only, not by what is between.
async fn carry_out(
    schema: Schema,
    asker: Asker,
    of: (Uuid, Uuid),
    first: mpsc::Sender<Result<First>>,
    to: mpsc::Sender<Result<Vec<u8>, ()>>,
) {
    let (export, session) = of;
    let reader = Arc::new(asker.store.reader(Ok(Some(session))));
    let executor =
        Executor::new(asker.store.clone(), reader.clone(), asker.client, asker.sessions.encryption().clone());
    let begun = counting(async {
        // A turn first: who has none has begun nothing.
        let streaming = reader.begin_stream().await?;
        Ok((streaming, executor.run(exports::begin(export)).await?))
    });
    let (streaming, Download { question, requested_at, began_at, .. }) = match begun.await.0 {
        Ok(begun) => begun,
        Err(error) => {
            _ = first.send(Err(error)).await;
            return;
        }
    };
    let planned = Planned::new(&schema.0.compiler, &schema.0.limits, &question);
    // Where it cannot be planned, the schema is another by now.
    let name = planned.as_ref().map(|planned| planned.name.as_str()).unwrap_or_default();
    let mut taker = Taker {
        store: asker.store,
        of,
        began_at,
        named: named(name, requested_at, &question.format),
        first: Some(first),
        to,
        encoder: None,
        out: Vec::new(),
        digest: Sha256::new(),
        progress: Progress::default(),
        begun: Instant::now(),
        noted: Instant::now(),
        is_gone: false,
    };
    let made = match planned {
        // Boxed: it is large, and moved around.
        Ok(planned) => counting(Box::pin(taker.make(&reader, &streaming, planned, &question.format))).await.0,
        Err(error) => Err(error),
    };
    drop(streaming);
    let (outcome, error) = match made {
        Ok(()) => (Outcome::Completed { sha256: format!("{:x}", taker.digest.clone().finalize()) }, None),
        Err(_) if taker.is_gone => (Outcome::Cancelled, None),
        Err(error) => (Outcome::Failed(error::nowhere(error.clone()).message), Some(error)),
    };
    let finish = exports::finish(export, began_at, taker.progress, outcome);
    if let Err(error) = counting(executor.run(finish)).await.0 {
        let why = error::nowhere(error).message;
        if taker.store.fail_export(export, began_at, &why).await.is_err() {
            tracing::warn!("the end of a download could not be noted");
        }
    }
    // Told last: whoever hears of it and looks finds it noted.
    match (error, taker.first.take()) {
        (Some(error), Some(first)) => _ = first.send(Err(error)).await,
        (Some(_), None) => _ = taker.to.send(Err(())).await,
        (None, _) => {}
    }
}

/// Who makes a file of what is read, and hands it on.
struct Taker {
    store: Store,
    /// The export, and the session that downloads it.
    of: (Uuid, Uuid),
    began_at: DateTime<FixedOffset>,
    /// What the file is called, and its media type.
    named: (String, &'static str),
    /// Where its beginning goes, or why there is none; none once it has gone.
    first: Option<mpsc::Sender<Result<First>>>,
    /// Where what follows goes.
    to: mpsc::Sender<Result<Vec<u8>, ()>>,
    encoder: Option<Encoder>,
    out: Vec<u8>,
    digest: Sha256,
    progress: Progress,
    begun: Instant,
    noted: Instant,
    /// Whether nobody takes it any more.
    is_gone: bool,
}

impl Taker {
    /// Makes the whole file.
    async fn make(&mut self, reader: &Reader, from: &Streaming, planned: Planned, format: &RowFormat) -> Result<()> {
        let Planned { fetch, columns, .. } = planned;
        self.encoder = Some(Encoder::begin(format, columns, &mut self.out)?);
        reader.run(Box::pin(reader.stream(from, &fetch, self))).await?;
        self.end().await
    }

    /// Makes what the file ends with.
    async fn end(&mut self) -> Result<()> {
        if let Some(encoder) = self.encoder.take() {
            beside(|| encoder.end(&mut self.out))?;
        }
        self.hand_on().await?;
        self.taken().await
    }

    /// Hands on what there is, in pieces.
    async fn hand_on(&mut self) -> Result<()> {
        let bytes = mem::take(&mut self.out);
        let mut pieces = bytes.chunks(PIECE);
        if let Some(first) = self.first.take() {
            let piece = pieces.next().unwrap_or_default();
            self.note(piece);
            let (name, media_type) = self.named.clone();
            self.is_gone = first.send(Ok(First { name, media_type, piece: piece.to_vec() })).await.is_err();
        }
        for piece in pieces {
            if self.is_gone {
                break;
            }
            let taken =
                tokio::time::timeout(PATIENCE, self.to.send(Ok(piece.to_vec()))).await.map_err(|_| stalled())?;
            self.is_gone = taken.is_err();
            self.note(piece);
        }
        if self.is_gone { Err(Error::Stopped) } else { Ok(()) }
    }

    fn note(&mut self, piece: &[u8]) {
        self.digest.update(piece);
        self.progress.bytes += piece.len() as u64;
    }

    /// Waits until everything is taken.
    async fn taken(&mut self) -> Result<()> {
        let taken = tokio::time::timeout(PATIENCE, self.to.reserve_many(WAITING)).await.map_err(|_| stalled())?;
        self.is_gone = taken.is_err();
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
        if self.begun.elapsed() > LONGEST {
            return Err(Error::Precondition(
                "A download may take an hour. Ask for fewer rows or columns at once, over a faster line.".into(),
            ));
        }
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

fn stalled() -> Error {
    Error::Precondition(format!(
        "Nothing of the file was taken for {} seconds. Ask for it again, and download it at once.",
        PATIENCE.as_secs()
    ))
}

/// Does something that takes its time; meanwhile other threads see to whoever else is there.
fn beside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}
