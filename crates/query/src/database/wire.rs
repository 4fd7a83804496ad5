//! PostgreSQL's protocol on a connection that reads: statements go out all at once, and what comes is read where it stands.
//!
//! The driver signs in and hands over its socket (`connect.rs`), and its library writes the messages. What it has for reading costs an
//! allocation and a reference count for each row, and a task or a channel between who waits and what comes. Here whoever waits for
//! an answer reads the socket itself, and the values of a row go from there to [`Rows`] in one copy.
//!
//! Statements are prepared along with their first use: nobody waits for that alone.

use std::{
    fmt, io,
    mem::take,
    num::NonZeroUsize,
    pin::Pin,
    str::from_utf8,
    sync::Arc,
    task::{Poll, ready},
};

use futures::future::poll_fn;
use lru::LruCache;
use postgres_protocol::{
    IsNull,
    message::frontend::{self, BindError},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::types::{self, Type, private::BytesMut};

use super::{
    connect::Socket,
    statement::{Call, Planning, Text},
};
use crate::{
    error::{Broken, Error},
    rows::{Names, Rows},
};

/// How many statements a connection keeps prepared: each costs PostgreSQL memory, some of them half a megabyte.
pub const KEPT: usize = 100;
/// How much is read at once: a few of the pieces of 8 KiB that PostgreSQL sends.
const READ: usize = 32 * 1024;
/// After how many rows others have their turn: where PostgreSQL is faster than the gateway, nothing else interrupts an answer.
const UNINTERRUPTED: usize = 500;
/// A message's kind and its length, which counts itself.
const HEADER: usize = 5;
/// The format of values on their way, either way.
const BINARY: i16 = 1;

/// A connection, signed in.
pub(super) struct Wire {
    socket: Socket,
    outgoing: BytesMut,
    /// How much of it is on its way.
    sent: usize,
    /// What has come; of it, what is not read yet stands between these places.
    incoming: Vec<u8>,
    unread: (usize, usize),
    /// How many times PostgreSQL will yet say that it is ready.
    awaited: usize,
    kept: LruCache<Text, Prepared>,
    /// How many statements were prepared so far.
    numbered: u64,
    /// Those that may have been prepared, and those that are to be forgotten.
    preparing: Vec<Prepared>,
    closing: Vec<Prepared>,
    planning: Planning,
}

/// A statement that the connection knows by a name.
#[derive(Clone)]
struct Prepared {
    number: u64,
    columns: Arc<Names>,
}

/// How a batch ended that did not end well.
pub(super) enum Failure {
    /// PostgreSQL said something about the statement at this place, or the connection is lost.
    Said(usize, Said),
    /// Not in time.
    Late,
    /// With more bytes than there was room for, after so many rows.
    Large(usize),
    /// Otherwise.
    Other(Error),
}

/// What PostgreSQL says instead of an answer.
#[derive(Debug)]
pub(super) enum Said {
    /// An error of this code.
    Error { code: String, message: String },
    /// Nothing any more.
    Lost(io::Error),
}

/// Where a statement of a batch stands.
struct Asked {
    /// Its name, if it is being prepared for times to come.
    preparing: Option<Prepared>,
    columns: Arc<Names>,
}

impl Wire {
    pub(super) fn new(socket: Socket) -> Self {
        Self {
            socket,
            outgoing: BytesMut::new(),
            sent: 0,
            incoming: vec![0; READ],
            unread: (0, 0),
            awaited: 0,
            kept: LruCache::new(NonZeroUsize::new(KEPT).unwrap_or(NonZeroUsize::MIN)),
            numbered: 0,
            preparing: Vec::new(),
            closing: Vec::new(),
            planning: Planning::Auto,
        }
    }

    /// How what is kept is planned.
    pub(super) fn planning(&self) -> Planning {
        self.planning
    }

    /// Whether everything that was asked is answered.
    pub(super) fn is_at_rest(&self) -> bool {
        self.awaited == 0
    }

    /// The only value of a statement without parameters, if it has one.
    pub(super) async fn ask(&mut self, sql: &str) -> Result<Option<String>, Said> {
        frontend::query(sql, &mut self.outgoing).map_err(Said::Lost)?;
        self.awaited += 1;
        let (mut value, mut said) = (None, None);
        loop {
            while let Some((kind, body)) = self.message()? {
                match kind {
                    b'D' => {
                        let mut rows = Rows::default();
                        rows.add(body).map_err(|_| malformed())?;
                        let text = rows.first().and_then(|row| row.raw(0).ok().flatten());
                        value = text.and_then(|text| from_utf8(text).ok()).map(ToOwned::to_owned);
                    }
                    b'E' => said = Some(error(body)),
                    b'Z' => return said.map_or(Ok(value), Err),
                    _ => {}
                }
            }
            if let Err(lost) = self.more().await {
                return Err(said.unwrap_or(Said::Lost(lost)));
            }
        }
    }

    /// Reads what is still to come of answers that nobody waits for any more.
    pub(super) async fn rest(&mut self) -> Result<(), Said> {
        while self.awaited > 0 {
            match self.message()? {
                Some(_) => {}
                None => self.more().await.map_err(Said::Lost)?,
            }
        }
        Ok(())
    }

    /// Says good-bye.
    pub(super) async fn close(mut self) {
        frontend::terminate(&mut self.outgoing);
        _ = poll_fn(|context| self.send(context)).await;
    }

    /// The rows of each of these statements, of at most so many bytes in all. Those that are `usual` are kept prepared.
    pub(super) async fn rows(
        &mut self,
        calls: &[Call<'_>],
        planning: Planning,
        usual: impl Fn(&Text) -> bool,
        mut room: usize,
    ) -> Result<Vec<Rows>, Failure> {
        let is_planned = self.planning == planning;
        let asked = self.write(calls, planning, usual)?;
        if !is_planned {
            self.answer(0, &mut Arc::default(), &mut usize::MAX.clone()).await?;
            self.planning = planning;
        }
        let mut answers = Vec::with_capacity(calls.len());
        for (place, (asked, call)) in asked.into_iter().zip(calls).enumerate() {
            let (is_new, mut columns) = (asked.preparing.is_some(), asked.columns);
            match self.answer(place, &mut columns, &mut room).await {
                Ok(mut rows) => {
                    if let Some(prepared) = asked.preparing {
                        let prepared = Prepared { columns: columns.clone(), ..prepared };
                        // Another of this text, or the one that was not used for longest, makes room.
                        if let Some((_, former)) = self.kept.push(call.text().clone(), prepared) {
                            self.closing.push(former);
                        }
                    }
                    rows.name(columns);
                    answers.push(rows);
                }
                Err(failure) => {
                    // It may be that the table is another by now.
                    if !is_new && let Some(former) = self.kept.pop(call.text()) {
                        self.closing.push(former);
                    }
                    return Err(failure);
                }
            }
        }
        self.preparing.clear();
        Ok(answers)
    }

    /// Writes what asks these statements. What cannot be written leaves nothing.
    fn write(
        &mut self,
        calls: &[Call<'_>],
        planning: Planning,
        usual: impl Fn(&Text) -> bool,
    ) -> Result<Vec<Asked>, Failure> {
        let start = self.outgoing.len();
        let awaited = self.awaited;
        let written = self.write_all(calls, planning, usual);
        if written.is_err() {
            self.outgoing.truncate(start);
            self.awaited = awaited;
            self.preparing.clear();
        }
        written.map_err(Failure::Other)
    }

    fn write_all(
        &mut self,
        calls: &[Call<'_>],
        planning: Planning,
        usual: impl Fn(&Text) -> bool,
    ) -> Result<Vec<Asked>, Error> {
        let unwritten = |_| Error::internal("a statement that cannot be written");
        let out = &mut self.outgoing;
        // What was begun before and not ended.
        self.closing.append(&mut self.preparing);
        if self.planning != planning {
            frontend::query(&format!("SET plan_cache_mode = {}", planning.mode()), out).map_err(unwritten)?;
            self.awaited += 1;
        }
        let mut asked = Vec::with_capacity(calls.len());
        for call in calls {
            call.check()?;
            let text = call.text();
            for prepared in take(&mut self.closing) {
                frontend::close(b'S', &prepared.name(), out).map_err(unwritten)?;
            }
            let name = match self.kept.get(text) {
                Some(kept) => {
                    asked.push(Asked { preparing: None, columns: kept.columns.clone() });
                    kept.name()
                }
                None => {
                    let preparing = usual(text).then(|| {
                        self.numbered += 1;
                        Prepared { number: self.numbered, columns: Arc::default() }
                    });
                    self.preparing.extend(preparing.clone());
                    let name = preparing.as_ref().map(Prepared::name).unwrap_or_default();
                    let types = text.types().iter().map(Type::oid);
                    frontend::parse(&name, text.sql(), types, out).map_err(unwritten)?;
                    frontend::describe(b'S', &name, out).map_err(unwritten)?;
                    asked.push(Asked { preparing, columns: Arc::default() });
                    name
                }
            };
            let values = call.values().zip(text.types());
            let bound = frontend::bind(
                "",
                &name,
                [BINARY],
                values,
                |(value, ty), out| {
                    Ok(match value.write(ty, out)? {
                        types::IsNull::Yes => IsNull::Yes,
                        types::IsNull::No => IsNull::No,
                    })
                },
                [BINARY],
                out,
            );
            bound.map_err(|error| match error {
                BindError::Conversion(_) => Error::internal("a value that cannot be bound"),
                BindError::Serialization(_) => Error::internal("a statement that cannot be written"),
            })?;
            frontend::execute("", 0, out).map_err(unwritten)?;
            frontend::sync(out);
            self.awaited += 1;
        }
        Ok(asked)
    }

    /// The rows that come until PostgreSQL is ready for the next, and their columns where it says what they are.
    async fn answer(&mut self, place: usize, columns: &mut Arc<Names>, room: &mut usize) -> Result<Rows, Failure> {
        let failed = |said| Failure::Said(place, said);
        let (mut rows, mut said) = (Rows::default(), None);
        loop {
            let mut uninterrupted = 0;
            while let Some((kind, body)) = self.message().map_err(failed)? {
                match kind {
                    b'D' => {
                        let size = rows.add(body).map_err(Failure::Other)?;
                        *room = room.checked_sub(size).ok_or(Failure::Large(rows.len()))?;
                        uninterrupted += 1;
                        if uninterrupted == UNINTERRUPTED {
                            break;
                        }
                    }
                    b'T' => *columns = names(body).ok_or_else(|| failed(malformed()))?,
                    b'E' => {
                        // The first is what all others are due to.
                        let error = error(body);
                        said.get_or_insert(error);
                    }
                    b'Z' => return said.map_or(Ok(rows), |said| Err(failed(said))),
                    _ => {}
                }
            }
            if uninterrupted == UNINTERRUPTED {
                tokio::task::yield_now().await;
            } else if self.next_row().is_some_and(|length| length > room.saturating_add(READ)) {
                return Err(Failure::Large(rows.len()));
            } else if let Err(lost) = self.more().await {
                // A server that goes says why, and then nothing.
                return Err(failed(said.unwrap_or(Said::Lost(lost))));
            }
        }
    }

    /// The next message that has come whole: its kind and its body.
    fn message(&mut self) -> Result<Option<(u8, &[u8])>, Said> {
        let (start, end) = self.unread;
        let Some((kind, length)) = header(&self.incoming[start..end]) else { return Ok(None) };
        if length < HEADER {
            return Err(malformed());
        }
        if end - start < length {
            return Ok(None);
        }
        self.unread.0 = start + length;
        if kind == b'Z' {
            self.awaited = self.awaited.checked_sub(1).ok_or_else(malformed)?;
        }
        Ok(Some((kind, &self.incoming[start + HEADER..start + length])))
    }

    /// How large the next message is, if it is a row.
    fn next_row(&self) -> Option<usize> {
        header(&self.incoming[self.unread.0..self.unread.1]).filter(|(kind, _)| *kind == b'D').map(|(_, length)| length)
    }

    /// Waits until more has come. What was written goes out meanwhile: PostgreSQL may wait to be read before it reads.
    async fn more(&mut self) -> io::Result<()> {
        self.make_room();
        poll_fn(|context| {
            if !self.outgoing.is_empty()
                && let Poll::Ready(Err(lost)) = self.send(context)
            {
                return Poll::Ready(Err(lost));
            }
            let mut space = ReadBuf::new(&mut self.incoming[self.unread.1..]);
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut space))?;
            let come = space.filled().len();
            self.unread.1 += come;
            Poll::Ready(if come > 0 { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) })
        })
        .await
    }

    /// Sees to it that there is space behind what is not read yet, for the next message at least.
    fn make_room(&mut self) {
        let (start, end) = self.unread;
        let needed = header(&self.incoming[start..end]).map_or(READ, |(_, length)| length.max(READ));
        if start == end {
            self.unread = (0, 0);
        } else if self.incoming.len() - start < needed || end == self.incoming.len() {
            self.incoming.copy_within(start..end, 0);
            self.unread = (0, end - start);
        }
        if self.incoming.len() < needed {
            self.incoming.resize(needed, 0);
        } else if self.incoming.len() > READ && needed == READ && self.unread.1 <= READ {
            // It was one large message.
            self.incoming.truncate(READ);
            self.incoming.shrink_to_fit();
        }
    }

    /// Sends what was written.
    fn send(&mut self, context: &mut std::task::Context<'_>) -> Poll<io::Result<()>> {
        let socket = &mut self.socket;
        while self.sent < self.outgoing.len() {
            let sent = ready!(Pin::new(&mut *socket).poll_write(context, &self.outgoing[self.sent..]))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        ready!(Pin::new(socket).poll_flush(context))?;
        self.outgoing.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

impl Prepared {
    fn name(&self) -> String {
        format!("s{}", self.number)
    }
}

impl Broken for Said {
    fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Error { code, .. } => Some(code.clone()),
            Self::Lost(_) => None,
        }
    }

    fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error { code, message } => write!(out, "{message} ({code})"),
            Self::Lost(error) => write!(out, "{error}"),
        }
    }
}

/// The kind and the length of the message that begins here.
fn header(bytes: &[u8]) -> Option<(u8, usize)> {
    let ([kind, length @ ..], _) = bytes.split_first_chunk::<HEADER>()?;
    // A length that is none is one that no message has.
    Some((*kind, usize::try_from(i32::from_be_bytes(*length)).map_or(0, |length| length + 1)))
}

fn malformed() -> Said {
    Said::Lost(io::Error::new(io::ErrorKind::InvalidData, "PostgreSQL does not keep to its protocol"))
}

/// Text that ends with a zero, and what follows it.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

/// How many bytes of a column's description follow its name.
const DESCRIPTION: usize = 18;

/// The names in a `RowDescription`.
fn names(body: &[u8]) -> Option<Arc<Names>> {
    let (count, mut rest) = body.split_first_chunk()?;
    let mut names = Vec::with_capacity(u16::from_be_bytes(*count).into());
    for _ in 0..u16::from_be_bytes(*count) {
        let (name, description) = text(rest)?;
        names.push(name.into());
        rest = description.get(DESCRIPTION..)?;
    }
    Some(names.into())
}

/// What an `ErrorResponse` says: fields, each of a letter and a text.
fn error(mut body: &[u8]) -> Said {
    let (mut code, mut message) = (String::new(), String::new());
    while let Some((field, rest)) = body.split_first().filter(|(field, _)| **field != 0)
        && let Some((text, rest)) = text(rest)
    {
        match field {
            b'C' => code = text.to_owned(),
            b'M' => message = text.to_owned(),
            _ => {}
        }
        body = rest;
    }
    Said::Error { code, message }
}
