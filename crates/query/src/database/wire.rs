//! PostgreSQL's protocol on a connection that reads: statements go out all at once, and what comes is read where it stands.
//!
//! The driver signs in and hands over its socket (`connect.rs`), and its library writes the messages. What it has for reading costs an
//! allocation and a reference count for each row, and a task or a channel between who waits and what comes. Here whoever waits for
//! an answer reads the socket itself, and the values of a row go from there to [`Rows`] in one copy.
//!
//! Statements are prepared along with their first use: nobody waits for that alone.

use std::{
    fmt, io,
    num::NonZeroUsize,
    pin::Pin,
    str::from_utf8,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
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
    share::give_way,
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
/// How many bytes of the room for an answer are taken at a time.
const PIECE: usize = 64 * 1024;
/// After how many rows others have their turn: where PostgreSQL is as fast as the gateway, nothing else interrupts an answer.
const UNINTERRUPTED: usize = 200;
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
    /// The numbers of those that may have been prepared, and of those that are to be forgotten.
    preparing: Vec<u64>,
    closing: Vec<u64>,
    planning: Planning,
}

/// A statement that the connection knows by its number.
struct Prepared {
    number: u64,
    columns: Arc<Names>,
}

/// How a batch ended that did not end well.
pub(super) enum Failure {
    /// PostgreSQL said something about the statement at this place, or the connection is lost.
    ServerMessage(usize, ServerMessage),
    /// Not in time.
    Late,
    /// With more bytes than there was room for, after so many rows.
    Large(usize),
    /// Otherwise.
    Other(Error),
}

/// What PostgreSQL says instead of an answer.
#[derive(Debug)]
pub(super) enum ServerMessage {
    /// An error of this code.
    Error { code: String, message: String },
    /// Nothing any more.
    Lost(io::Error),
}

/// Where a statement of a batch stands.
struct Awaited {
    /// Its number, if it is being prepared for times to come.
    preparing: Option<u64>,
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
    pub(super) async fn ask(&mut self, sql: &str) -> Result<Option<String>, ServerMessage> {
        frontend::query(sql, &mut self.outgoing).map_err(ServerMessage::Lost)?;
        self.awaited += 1;
        let mut rows = Rows::default();
        self.end_with(|row| rows.add(row).map_err(|_| malformed()).map(drop)).await?;
        let text = rows.first().and_then(|row| row.raw(0).ok().flatten());
        Ok(text.and_then(|text| from_utf8(text).ok()).map(ToOwned::to_owned))
    }

    /// Reads what is still to come of answers that nobody waits for any more.
    pub(super) async fn rest(&mut self) -> Result<(), ServerMessage> {
        while self.awaited > 0 {
            match self.end().await {
                // The statement was stopped, as it should be.
                Err(ServerMessage::Error { .. }) | Ok(()) => {}
                Err(lost) => return Err(lost),
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
        room: &AtomicUsize,
    ) -> Result<Vec<Rows>, Failure> {
        let mut space = Space { room, left: 0, used: 0 };
        let is_planned = self.planning == planning;
        let asked = self.write(calls, planning, usual)?;
        if !is_planned {
            self.end().await.map_err(|said| Failure::ServerMessage(0, said))?;
            self.planning = planning;
        }
        let mut answers = Vec::with_capacity(calls.len());
        for (place, (asked, call)) in asked.into_iter().zip(calls).enumerate() {
            let Awaited { preparing, mut columns } = asked;
            let rows = Rows::with_space(call.last_size());
            match self.answer(place, rows, &mut columns, &mut space).await {
                Ok(mut rows) => {
                    call.note_size(rows.space());
                    if let Some(number) = preparing {
                        self.preparing.retain(|other| *other != number);
                        let prepared = Prepared { number, columns: columns.clone() };
                        // Another of this text, or the one that was not used for longest, makes room.
                        let former = self.kept.push(call.text().clone(), prepared);
                        self.closing.extend(former.map(|(_, former)| former.number));
                    }
                    rows.name(columns);
                    answers.push(rows);
                }
                Err(failure) => {
                    // It may be that the table is another by now.
                    let former = self.kept.pop(call.text());
                    self.closing.extend(former.map(|former| former.number));
                    return Err(failure);
                }
            }
        }
        let last = calls.len().saturating_sub(1);
        self.end().await.map_err(|said| Failure::ServerMessage(last, said))?;
        space.used = 0;
        Ok(answers)
    }

    /// Writes what asks these statements. What cannot be written leaves nothing.
    fn write(
        &mut self,
        calls: &[Call<'_>],
        planning: Planning,
        usual: impl Fn(&Text) -> bool,
    ) -> Result<Vec<Awaited>, Failure> {
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
    ) -> Result<Vec<Awaited>, Error> {
        let unwritten = |_| Error::internal("a statement that cannot be written");
        let out = &mut self.outgoing;
        // What was begun before and not ended.
        self.closing.append(&mut self.preparing);
        if self.planning != planning {
            frontend::query(&format!("SET plan_cache_mode = {}", planning.mode()), out).map_err(unwritten)?;
            self.awaited += 1;
        }
        for number in &self.closing {
            frontend::close(b'S', &name(*number), out).map_err(unwritten)?;
        }
        let mut asked = Vec::with_capacity(calls.len());
        for call in calls {
            call.check()?;
            let text = call.text();
            let name = match self.kept.get(text) {
                Some(kept) => {
                    asked.push(Awaited { preparing: None, columns: kept.columns.clone() });
                    name(kept.number)
                }
                None => {
                    let is_kept = call.planning() != Planning::Each && usual(text);
                    let preparing = is_kept.then(|| {
                        self.numbered += 1;
                        self.numbered
                    });
                    self.preparing.extend(preparing);
                    let name = preparing.map(name).unwrap_or_default();
                    let types = text.types().iter().map(Type::oid);
                    frontend::parse(&name, text.sql(), types, out).map_err(unwritten)?;
                    frontend::describe(b'S', &name, out).map_err(unwritten)?;
                    asked.push(Awaited { preparing, columns: Arc::default() });
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
        }
        // One end for all: what is answered goes out together, and after a statement that fails none is begun.
        frontend::sync(out);
        self.awaited += 1;
        self.closing.clear();
        Ok(asked)
    }

    /// The rows of the statement at this place, and their columns where PostgreSQL says what they are.
    async fn answer(
        &mut self,
        place: usize,
        mut rows: Rows,
        columns: &mut Arc<Names>,
        space: &mut Space<'_>,
    ) -> Result<Rows, Failure> {
        let failed = |said| Failure::ServerMessage(place, said);
        let mut uninterrupted = 0;
        loop {
            while let Some((kind, body)) = self.message().map_err(failed)? {
                match kind {
                    b'D' => {
                        let size = rows.add(body).map_err(Failure::Other)?;
                        if !space.take(size) {
                            return Err(Failure::Large(rows.len()));
                        }
                        uninterrupted += 1;
                        if uninterrupted == UNINTERRUPTED {
                            break;
                        }
                    }
                    b'T' => *columns = names(body).ok_or_else(|| failed(malformed()))?,
                    b'C' | b'I' => return Ok(rows),
                    b'E' => {
                        let said = error(body);
                        // Nothing follows but that PostgreSQL is ready; or it goes, and this is why.
                        _ = self.end().await;
                        return Err(failed(said));
                    }
                    b'Z' => return Err(failed(malformed())),
                    _ => {}
                }
            }
            if uninterrupted == UNINTERRUPTED {
                uninterrupted = 0;
                give_way().await;
            } else if self.next_row().is_some_and(|length| length > space.all().saturating_add(READ)) {
                return Err(Failure::Large(rows.len()));
            } else {
                self.more().await.map_err(|lost| failed(ServerMessage::Lost(lost)))?;
            }
        }
    }

    /// Reads until PostgreSQL is ready for what comes next.
    async fn end(&mut self) -> Result<(), ServerMessage> {
        self.end_with(|_| Ok(())).await
    }

    /// The same, taking the rows that come before.
    async fn end_with(&mut self, mut row: impl FnMut(&[u8]) -> Result<(), ServerMessage>) -> Result<(), ServerMessage> {
        let mut said = Ok(());
        loop {
            while let Some((kind, body)) = self.message()? {
                match kind {
                    b'D' => row(body)?,
                    b'E' => said = Err(error(body)),
                    b'Z' => return said,
                    _ => {}
                }
            }
            if let Err(lost) = self.more().await {
                return said.and(Err(ServerMessage::Lost(lost)));
            }
        }
    }

    /// The next message that has come whole: its kind and its body.
    fn message(&mut self) -> Result<Option<(u8, &[u8])>, ServerMessage> {
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

/// What a batch takes of the room that all statements of a request have together. It takes pieces, so that not every row asks; what
/// it did not use goes back at its end, and all of it where it fails, for nothing is left of its rows then.
struct Space<'a> {
    room: &'a AtomicUsize,
    left: usize,
    used: usize,
}

impl Space<'_> {
    /// Takes so many bytes; whether there are as many.
    fn take(&mut self, bytes: usize) -> bool {
        if self.left < bytes {
            let missing = bytes - self.left;
            let taken = [missing.max(PIECE), missing].into_iter().find(|more| {
                let take = |room: usize| room.checked_sub(*more);
                self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            });
            let Some(taken) = taken else { return false };
            self.left += taken;
        }
        self.left -= bytes;
        self.used += bytes;
        true
    }

    /// How much there is yet.
    fn all(&self) -> usize {
        self.room.load(Ordering::Relaxed).saturating_add(self.left)
    }
}

impl Drop for Space<'_> {
    fn drop(&mut self) {
        self.room.fetch_add(self.left + self.used, Ordering::Relaxed);
    }
}

/// What a connection calls the statement of this number.
fn name(number: u64) -> String {
    format!("s{number}")
}

impl Broken for ServerMessage {
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

impl fmt::Display for ServerMessage {
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

fn malformed() -> ServerMessage {
    ServerMessage::Lost(io::Error::new(io::ErrorKind::InvalidData, "PostgreSQL does not keep to its protocol"))
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
fn error(mut body: &[u8]) -> ServerMessage {
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
    ServerMessage::Error { code, message }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::{database::Statement, sql::Sql};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).expect("a length");
        [&[kind], &length.to_be_bytes()[..], body].concat()
    }

    /// A `RowDescription` of these columns, each of type `text`.
    fn description(columns: &[&str]) -> Vec<u8> {
        let mut body = u16::try_from(columns.len()).expect("a number").to_be_bytes().to_vec();
        for column in columns {
            body.extend([column.as_bytes(), &[0; 7], &25_u32.to_be_bytes(), &[255, 255], &[255; 4], &[0, 1]].concat());
        }
        message(b'T', &body)
    }

    fn row(values: &[Option<&[u8]>]) -> Vec<u8> {
        let mut body = u16::try_from(values.len()).expect("a number").to_be_bytes().to_vec();
        for value in values {
            let length = value.map_or(-1, |value| i32::try_from(value.len()).expect("a length"));
            body.extend([&length.to_be_bytes(), value.unwrap_or_default()].concat());
        }
        message(b'D', &body)
    }

    fn done() -> Vec<u8> {
        message(b'C', b"SELECT 1\0")
    }

    fn ready() -> Vec<u8> {
        [done(), message(b'Z', b"I")].concat()
    }

    fn failure(code: &str) -> Vec<u8> {
        let fields = ["SERROR", &format!("C{code}"), "Mit did not work"].map(|field| format!("{field}\0"));
        message(b'E', format!("{}\0", fields.concat()).as_bytes())
    }

    /// The statement, and what is answered to it.
    fn statement(sql: &'static str) -> Statement {
        let mut text = Sql::new();
        text.push(sql);
        Statement::new(&text)
    }

    /// What the gateway has sent: the kinds of its messages, and their names where they have some.
    async fn heard(server: &mut DuplexStream, syncs: usize) -> Vec<String> {
        let (mut heard, mut left) = (Vec::new(), syncs);
        while left > 0 {
            let kind = char::from(server.read_u8().await.expect("a message"));
            let mut body = vec![0; server.read_u32().await.expect("a length") as usize - 4];
            server.read_exact(&mut body).await.expect("a body");
            left -= usize::from(matches!(kind, 'S' | 'Q'));
            // Of a portal the name is empty; those of statements are `s` and a number.
            let name: String = body
                .split(|byte| *byte == 0)
                .find_map(|part| {
                    let text = from_utf8(part).ok()?.trim_start_matches('S');
                    text.strip_prefix('s')?.parse::<u32>().ok().map(|number| number.to_string())
                })
                .unwrap_or_default();
            heard.push(format!("{kind}{name}"));
        }
        heard
    }

    /// More than any test takes.
    static WHOLE: AtomicUsize = AtomicUsize::new(usize::MAX);

    fn pair() -> (Wire, DuplexStream) {
        let (ours, theirs) = duplex(1 << 20);
        (Wire::new(Box::new(ours)), theirs)
    }

    /// Asks one statement after the server has said all this.
    async fn answered(said: &[u8], room: usize) -> (Wire, DuplexStream, Result<Rows, Failure>) {
        let room = AtomicUsize::new(room);
        let (mut wire, mut server) = pair();
        server.write_all(said).await.expect("room");
        let (statement, keys) = (statement("SELECT a, b"), Arc::default());
        let asked = [statement.call(None, &keys)];
        let asking = wire.rows(&asked, Planning::Auto, |_| true, &room);
        let answer = tokio::time::timeout(Duration::from_secs(5), async {
            // A server that has said what it had to say hangs up.
            tokio::join!(asking, async {
                heard(&mut server, 1).await;
                _ = server.shutdown().await;
            })
            .0
        });
        let answer = answer.await.expect("an end").map(|mut rows| rows.remove(0));
        (wire, server, answer)
    }

    fn values(rows: &Rows) -> Vec<Vec<Option<Vec<u8>>>> {
        let cell = |row: crate::rows::Row<'_>, name: usize| row.raw(name).expect("a cell").map(<[u8]>::to_vec);
        rows.iter().map(|row| vec![cell(row, 0), cell(row, 1)]).collect()
    }

    #[tokio::test]
    async fn rows_are_read_however_they_come() {
        let long = vec![b'x'; 3 * READ];
        let rows = [
            row(&[Some(b"one"), None]),
            row(&[Some(b""), Some(&long)]),
            message(b'N', b"SNOTICE\0\0"),
            message(b'S', b"TimeZone\0UTC\0"),
            row(&[None, Some(b"\0\xff")]),
        ];
        let said = [message(b'1', b""), description(&["a", "b"]), message(b'2', b""), rows.concat(), ready()].concat();
        let expected = vec![
            vec![Some(b"one".to_vec()), None],
            vec![Some(Vec::new()), Some(long.clone())],
            vec![None, Some(b"\0\xff".to_vec())],
        ];
        for piece in [1, 2, 7, 4_096, READ, said.len()] {
            let (mut wire, mut server) = pair();
            let (statement, keys) = (statement("SELECT a, b"), Arc::default());
            let asked = [statement.call(None, &keys)];
            let saying = async {
                for piece in said.chunks(piece) {
                    server.write_all(piece).await.expect("room");
                    if said.len() / piece.len() < 10_000 {
                        tokio::task::yield_now().await;
                    }
                }
            };
            let (answer, ()) = tokio::join!(wire.rows(&asked, Planning::Auto, |_| true, &WHOLE), saying);
            let rows = answer.unwrap_or_else(|_| panic!("an answer"));
            assert_eq!(values(&rows[0]), expected);
            assert_eq!(rows[0].size(), 3 + long.len() + 2);
            assert_eq!(rows[0].first().expect("a row").get::<String>("a"), Ok("one".into()));
            assert!(wire.is_at_rest());
            wire.make_room();
            assert_eq!(wire.incoming.len(), READ, "what a long value took is given back");
        }
    }

    #[tokio::test]
    async fn what_postgresql_says_is_told_and_leaves_the_connection_as_it_was() {
        let said = [failure("57014"), message(b'Z', b"I")].concat();
        let (wire, _, answer) = answered(&said, usize::MAX).await;
        let Err(Failure::ServerMessage(0, said)) = answer else { panic!("an answer") };
        assert_eq!(said.sqlstate().as_deref(), Some("57014"));
        assert!(!said.is_lost() && wire.is_at_rest());
    }

    #[tokio::test]
    async fn a_server_that_goes_or_talks_nonsense_is_lost() {
        for said in [
            Vec::new(),
            message(b'1', b""),
            row(&[Some(b"cut off"), None])[..9].to_vec(),
            // Lengths that are none.
            vec![b'D', 0, 0, 0, 3, 0, 0],
            vec![b'D', 255, 255, 255, 255, 0, 0],
            vec![b'D', 0x80, 0, 0, 0],
            // A description that ends in a name.
            message(b'T', b"\0\x02a"),
        ] {
            let (_, _, answer) = answered(&said, usize::MAX).await;
            assert!(matches!(answer, Err(Failure::ServerMessage(0, ServerMessage::Lost(_)))), "{said:?}");
        }
        // Why it goes is what counts.
        let (_, _, answer) = answered(&failure("57P01"), usize::MAX).await;
        assert!(matches!(answer, Err(Failure::ServerMessage(0, ServerMessage::Error { .. }))));
        for said in [message(b'D', b""), message(b'D', b"\0\x02\0\0\0\x09short")] {
            assert!(matches!(answered(&said, usize::MAX).await.2, Err(Failure::Other(_))), "{said:?}");
        }
    }

    #[tokio::test]
    async fn what_there_is_no_room_for_is_refused_before_it_is_there() {
        let said = [message(b'1', b""), row(&[Some(&[b'x'; 60]), None]), row(&[Some(&[b'x'; 60]), None])].concat();
        assert!(matches!(answered(&said, 100).await.2, Err(Failure::Large(2))));
        // Of one that says it has a gigabyte, nothing is kept ready.
        let said = [&b"D"[..], &(1_u32 << 30).to_be_bytes()[..], b"\0\x01"].concat();
        let (wire, _, answer) = answered(&said, 1_000_000).await;
        assert!(matches!(answer, Err(Failure::Large(0))));
        assert!(wire.incoming.len() <= READ && !wire.is_at_rest());
    }

    #[test]
    fn statements_of_a_request_share_the_room_and_give_back_what_they_do_not_use() {
        let room = AtomicUsize::new(3 * PIECE);
        let space = || Space { room: &room, left: 0, used: 0 };
        let (mut first, mut second) = (space(), space());
        assert!(first.take(10) && second.take(2 * PIECE) && !first.take(PIECE) && first.take(PIECE - 10));
        assert_eq!((first.all(), second.take(1)), (0, false));
        // The first has succeeded, so its rows stay; of the second nothing does.
        first.used = 0;
        drop((first, second));
        assert_eq!(room.into_inner(), 2 * PIECE);
    }

    #[tokio::test]
    async fn statements_are_prepared_once_and_forgotten_when_they_fail() {
        let (mut wire, mut server) = pair();
        let (known, once, keys) = (statement("SELECT a"), statement("SELECT b"), Arc::default());
        let usual = |text: &Text| text.sql() == "SELECT a";
        let batch = [known.call(None, &keys), once.call(None, &keys)];
        let parsed = [message(b'1', b""), description(&["a"]), message(b'2', b"")].concat();
        let bound = message(b'2', b"");

        server.write_all(&[&parsed[..], &done(), &parsed, &ready()].concat()).await.expect("room");
        assert!(wire.rows(&batch, Planning::Auto, usual, &WHOLE).await.is_ok());
        assert_eq!(heard(&mut server, 1).await, ["P1", "D1", "B1", "E", "P", "D", "B", "E", "S"]);

        // Planned otherwise, which is said before.
        let set = [message(b'C', b"SET\0"), message(b'Z', b"I")].concat();
        server.write_all(&[&set[..], &bound, &ready()].concat()).await.expect("room");
        assert!(wire.rows(&batch[..1], Planning::Once, usual, &WHOLE).await.is_ok());
        assert_eq!(heard(&mut server, 2).await, ["Q", "B1", "E", "S"]);

        // One that fails may have another table under it by now.
        server.write_all(&[failure("0A000"), message(b'Z', b"I")].concat()).await.expect("room");
        assert!(wire.rows(&batch[..1], Planning::Once, usual, &WHOLE).await.is_err());
        assert_eq!(heard(&mut server, 1).await, ["B1", "E", "S"]);
        server
            .write_all(&[&message(b'3', b"")[..], &failure("42P01"), &message(b'Z', b"I")].concat())
            .await
            .expect("room");
        assert!(wire.rows(&batch[..1], Planning::Once, usual, &WHOLE).await.is_err());
        assert_eq!(heard(&mut server, 1).await, ["C1", "P2", "D2", "B2", "E", "S"]);

        // So may one have been prepared for which nobody waited.
        {
            let gone = wire.rows(&batch[..1], Planning::Once, usual, &WHOLE);
            assert!(tokio::time::timeout(Duration::from_millis(20), gone).await.is_err());
        }
        assert!(!wire.is_at_rest());
        server.write_all(&[&parsed[..], &row(&[Some(b"x")]), &ready()].concat()).await.expect("room");
        assert!(wire.rest().await.is_ok() && wire.is_at_rest());
        assert_eq!(heard(&mut server, 1).await, ["C2", "P3", "D3", "B3", "E", "S"]);
        server.write_all(&[&parsed[..], &ready()].concat()).await.expect("room");
        assert!(wire.rows(&batch[..1], Planning::Once, usual, &WHOLE).await.is_ok());
        assert_eq!(heard(&mut server, 1).await, ["C3", "P4", "D4", "B4", "E", "S"]);
    }

    #[tokio::test]
    async fn of_a_batch_the_first_that_fails_is_told_and_the_rest_is_not_begun() {
        let (mut wire, mut server) = pair();
        let (first, second, third, keys) =
            (statement("SELECT a"), statement("SELECT b"), statement("SELECT c"), Arc::default());
        let batch = [first.call(None, &keys), second.call(None, &keys), third.call(None, &keys)];
        let parsed = [message(b'1', b""), description(&["a"]), message(b'2', b""), done()].concat();
        server.write_all(&[&parsed[..], &failure("55P03"), &message(b'Z', b"I")].concat()).await.expect("room");
        let answer = wire.rows(&batch, Planning::Auto, |_| true, &WHOLE).await;
        let Err(Failure::ServerMessage(1, said)) = answer else { panic!("an answer") };
        assert_eq!(said.sqlstate().as_deref(), Some("55P03"));
        assert!(wire.is_at_rest());
        heard(&mut server, 1).await;
        // The first is known; of the others nobody can tell.
        server.write_all(&[&message(b'2', b"")[..], &ready()].concat()).await.expect("room");
        assert!(wire.rows(&batch[..1], Planning::Auto, |_| true, &WHOLE).await.is_ok());
        assert_eq!(heard(&mut server, 1).await, ["C2", "C3", "B1", "E", "S"]);
    }

    #[tokio::test]
    async fn no_more_than_a_hundred_are_kept() {
        let (mut wire, mut server) = pair();
        let keys = Arc::default();
        let parsed = [message(b'1', b""), description(&["a"]), message(b'2', b""), ready()].concat();
        let mut closed = Vec::new();
        for number in 0..=KEPT as u64 + 1 {
            let mut text = Sql::new();
            text.push("SELECT ").number(number);
            let statement = Statement::new(&text);
            server.write_all(&parsed).await.expect("room");
            assert!(wire.rows(&[statement.call(None, &keys)], Planning::Auto, |_| true, &WHOLE).await.is_ok());
            closed.extend(heard(&mut server, 1).await.into_iter().filter(|message| message.starts_with('C')));
        }
        assert_eq!(closed, ["C1"], "the second is closed along with what comes next");
        assert_eq!(wire.kept.len(), KEPT);
    }
}
