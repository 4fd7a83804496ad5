//! One connection: what it is at, since when, and whether that takes too long.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    http::{Request, Response, StatusCode, Version},
};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    sync::Notify,
    time::Instant,
};

use super::{FAREWELL, Limits, PARTING, permits::Permit};

/// What is taken from one who was answered amid sending, bytes.
const MOST_THROWN_AWAY: usize = 4 * 1024 * 1024;

/// A connection, as long as its socket is open.
pub struct Connection {
    at: Mutex<At>,
    cut: Notify,
    _permit: Permit,
}

struct At {
    /// Requests whose answers are not sent whole.
    answering: usize,
    /// Those of them whose bodies have not come whole.
    receiving: usize,
    /// Since when nothing is asked.
    idle: Instant,
    /// When, since then, the first byte came.
    heard: Option<Instant>,
    /// Since when what is sent is not taken.
    stalled: Option<Instant>,
    /// Whether it speaks HTTP/2, where not every byte is one of a request.
    multiplexed: bool,
    /// Whether the last request was answered before its body had come whole.
    unread: bool,
    /// Whether it is a WebSocket's.
    handed_over: bool,
}

impl Connection {
    pub fn new(permit: Permit) -> Self {
        let now = Instant::now();
        let at = At {
            answering: 0,
            receiving: 0,
            idle: now,
            // Whoever connects has something to say.
            heard: Some(now),
            stalled: None,
            multiplexed: false,
            unread: false,
            handed_over: false,
        };
        Self { at: Mutex::new(at), cut: Notify::new(), _permit: permit }
    }

    /// A request has come, and is being answered until what this returns is dropped.
    pub fn begin<B>(self: &Arc<Self>, request: &Request<B>) -> Answering {
        let mut at = self.at.lock();
        at.answering += 1;
        at.multiplexed = request.version() == Version::HTTP_2;
        at.unread = false;
        Answering(self.clone())
    }

    /// The body of a request is being received until what this returns is dropped.
    pub fn receive(self: &Arc<Self>) -> Receiving {
        self.at.lock().receiving += 1;
        Receiving { connection: self.clone(), is_whole: false }
    }

    /// Its socket is a WebSocket's from now on.
    pub fn hand_over(&self) {
        self.at.lock().handed_over = true;
    }

    pub fn is_handed_over(&self) -> bool {
        self.at.lock().handed_over
    }

    /// Whether it takes too long over what it is at.
    pub fn is_late(&self, now: Instant, limits: &Limits) -> bool {
        let at = self.at.lock();
        if at.handed_over {
            return false;
        }
        if at.stalled.is_some_and(|since| now.saturating_duration_since(since) > limits.idle) {
            return true;
        }
        at.answering == 0
            && (now.saturating_duration_since(at.idle) > limits.idle
                || at.heard.is_some_and(|first| now.saturating_duration_since(first) > limits.head))
    }

    /// Whether a gateway that was stopped then has no reason to wait for it any more.
    pub fn may_be_left(&self, now: Instant, stopped: Instant) -> bool {
        let at = self.at.lock();
        let since = now.saturating_duration_since(stopped);
        if at.handed_over {
            return since > FAREWELL;
        }
        at.answering == 0 || (since > PARTING && (at.receiving == at.answering || at.stalled.is_some()))
    }

    /// Has it closed by whoever serves it.
    pub fn close(&self) {
        self.at.lock().unread = false;
        self.cut.notify_one();
    }

    /// Waits until it is to be closed.
    pub async fn cut(&self) {
        self.cut.notified().await;
    }
}

/// That a request is being answered.
pub struct Answering(Arc<Connection>);

impl Answering {
    /// The answer, with which this goes until it is sent.
    pub fn until_sent(self, answer: Response<Body>) -> Response<Sending> {
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.0.hand_over();
        }
        answer.map(|body| Sending { body, _answering: self })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut at = self.0.at.lock();
        at.answering -= 1;
        if at.answering == 0 {
            at.idle = Instant::now();
            at.heard = None;
        }
    }
}

/// That the body of a request is being received.
pub struct Receiving {
    connection: Arc<Connection>,
    is_whole: bool,
}

impl Receiving {
    /// It has come whole.
    pub fn end(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        let mut at = self.connection.at.lock();
        at.receiving -= 1;
        at.unread |= !self.is_whole;
    }
}

/// The body of an answer.
pub struct Sending {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket whose connection hears of what is read and of what cannot be written.
pub struct Watched {
    /// There until it is dropped.
    stream: Option<TcpStream>,
    connection: Arc<Connection>,
}

impl Watched {
    pub fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { stream: Some(stream), connection }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn written(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let mut at = self.connection.at.lock();
        match outcome {
            Poll::Pending => _ = at.stalled.get_or_insert_with(Instant::now),
            Poll::Ready(_) => at.stalled = None,
        }
        outcome
    }
}

impl Drop for Watched {
    /// Whoever is amid sending when it is answered must not be reset before it has read the answer (RFC 9112, section 9.6): what comes
    /// is thrown away for a moment, if there is not much of it.
    fn drop(&mut self) {
        let (Some(mut stream), true) = (self.stream.take(), self.connection.at.lock().unread) else { return };
        let (connection, Ok(runtime)) = (self.connection.clone(), Handle::try_current()) else { return };
        runtime.spawn(async move {
            let linger = async {
                _ = stream.shutdown().await;
                let (mut thrown_away, mut buffer) = (0, [0; 4 * 1024]);
                while let Ok(read @ 1..) = stream.read(&mut buffer).await
                    && thrown_away < MOST_THROWN_AWAY
                {
                    thrown_away += read;
                }
            };
            _ = tokio::time::timeout(PARTING, linger).await;
            drop(connection);
        });
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.stream()?.poll_read(context, buffer);
        if buffer.filled().len() > before {
            let mut at = self.connection.at.lock();
            if at.answering == 0 && !at.multiplexed && !at.handed_over {
                at.heard.get_or_insert_with(Instant::now);
            }
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write(context, bytes);
        self.written(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write_vectored(context, slices);
        self.written(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
